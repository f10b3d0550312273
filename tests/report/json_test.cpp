#include <string>

#include <nlohmann/json.hpp>

#include "luatrail/base/text.hpp"
#include "luatrail/report/json.hpp"
#include "report/findings.hpp"
#include "support/catch.hpp"

using namespace luatrail;
using nlohmann::ordered_json;

using test::harmless;

TEST_CASE("the sample finding is rendered whole") {
    CHECK(
        report::to_json(test::dropped_script()) ==
        R"({"schema":"luatrail/finding/1","id":"5b0c1f0e9a7d3c42","time":"2026-11-25T02:00:10.666Z","node":"web01",)"
        R"("severity":"critical","title":"luajit run by www-data on a script that bash dropped 4 ms earlier in /dev/shm/.cache",)"
        R"("attack":{"technique":"T1059.011","strategy":"DET0101","analytic":"AN0279"},)"
        R"("interpreter":{"exe":"/usr/bin/luajit","profile":"luajit","identified_by":"path","package":"luajit"},)"
        R"("code":{"origin":"script","argument":"./u","path":"/dev/shm/.cache/u","inline":null,"format":"unknown","package":null},)"
        R"("process":{"pid":10258,"ppid":10257,"uid":33,"euid":33,"auid":null,"user":"www-data","session":null,"tty":null,)"
        R"("comm":"luajit","cwd":"/dev/shm/.cache","argv":["luajit","./u"],"unit":null,"container":null},)"
        R"("ancestors":[{"pid":10257,"exe":"/usr/bin/dash","argv":["sh","-c","cd /dev/shm/.cache; luajit ./u"],"uid":33}],)"
        R"("expectation":{"verdict":"unexpected","rule":null,"why":"no expectation names user www-data for luajit"},)"
        R"("chain":[{"kind":"script-drop","how":"create","path":"/dev/shm/.cache/u","time":"2026-11-25T02:00:10.662Z",)"
        R"("age_ms":4,"event":"1795572010.662:108274","by":{"pid":10255,"exe":"/usr/bin/bash","uid":0},"same_tree":true},)"
        R"({"kind":"shared-memory","path":"/dev/shm/.cache/u","event":"1795572010.666:108286"}],)"
        R"("reasons":[{"id":"unexpected-user","text":"no expectation names user www-data for luajit"},)"
        R"({"id":"script-drop","text":"bash (pid 10255, uid 0) created /dev/shm/.cache/u 4 ms before the run, in the same process tree"},)"
        R"({"id":"shared-memory","text":"/dev/shm/.cache/u lies in shared memory, which leaves no trace on disk"}],)"
        R"("events":["1795572010.666:108286","1795572010.662:108274"],"degraded":[],"follows":null})");
}

TEST_CASE("what a log does not tell is null") {
    CHECK(
        report::to_json(test::bare()) ==
        R"({"schema":"luatrail/finding/1","id":"0000000000000001","time":"1970-01-01T00:00:00.000Z","node":null,)"
        R"("severity":"info","title":"an unknown program run by an unknown user on unknown code","attack":{"technique":"T1059.011","strategy":"DET0101","analytic":"AN0279"},)"
        R"("interpreter":{"exe":null,"profile":"lua","identified_by":"path","package":null},)"
        R"("code":{"origin":"unknown","argument":null,"path":null,"inline":null,"format":"unknown","package":null},)"
        R"("process":{"pid":0,"ppid":null,"uid":null,"euid":null,"auid":null,"user":null,"session":null,"tty":null,)"
        R"("comm":null,"cwd":null,"argv":[],"unit":null,"container":null},"ancestors":[],)"
        R"("expectation":{"verdict":"unknown","rule":null,"why":"no baseline was given"},)"
        R"("chain":[],"reasons":[{"id":"no-baseline","text":"no baseline was given"}],"events":[],"degraded":[],"follows":null})");
}

TEST_CASE("bytes that are not UTF-8 are replaced, with the raw ones beside") {
    auto finding = test::bare();
    finding.process.comm = "a\xff\xe2\x82z";
    finding.process.argv = {"lua", "\xc0", "fine"};
    finding.chain.push_back({});
    finding.chain.back().path = "/tmp/\xfe";
    const auto json = ordered_json::parse(report::to_json(finding));
    CHECK(json["process"]["comm"] == "a\xef\xbf\xbd\xef\xbf\xbdz");
    CHECK(json["process"]["comm_hex"] == "61ffe2827a");
    CHECK(json["process"]["argv"].dump() == "[\"lua\",\"\xef\xbf\xbd\",\"fine\"]");
    CHECK(json["process"]["argv_hex"].dump() == R"([null,"c0",null])");
    CHECK(json["chain"][0].dump() == "{\"kind\":\"script-drop\",\"path\":\"/tmp/"
                                     "\xef\xbf\xbd\",\"path_hex\":\"2f746d702ffe\",\"event\":\"0.000:0\"}");
    CHECK_FALSE(json.contains("title_hex"));
    CHECK_FALSE(json["process"].contains("cwd_hex"));
}

TEST_CASE("valid text comes back from the JSON as it went in, whatever it is") {
    const std::string text =
        "\"\\/\b\f\n\r\t\x01\x1f\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xf3\xa0\x80\x81\xf0\x9f\x98\x80\xc3\xbc</script>";
    auto finding = test::bare();
    finding.expectation = {.reason = detect::ExpectationReason::expected, .rule = "r", .because = text};
    finding.process.argv = {text};
    const auto line = report::to_json(finding);
    CHECK(harmless(line));
    const auto json = ordered_json::parse(line);
    CHECK(json["expectation"]["why"] == "expectation r: " + text);
    CHECK(json["process"]["argv"][0] == text);
}

TEST_CASE("a command line of megabytes is trimmed from the middle, with counts, and the script stays") {
    auto finding = test::dropped_script();
    finding.process.argv = {"lua", "/tmp/x.lua"};
    finding.process.argv.resize(44000, std::string(80, 'x'));
    const auto line = report::to_json(finding);
    CHECK(line.size() <= report::most_json_bytes);
    const auto json = ordered_json::parse(line);
    CHECK(json["process"]["argv"][0] == "lua");
    CHECK(json["process"]["argv"][1] == "/tmp/x.lua");
    CHECK(line.find(" arguments...]") != std::string::npos);
    CHECK(std::count(json["shortened"].begin(), json["shortened"].end(), "process.argv") == 1);
    CHECK(json["chain"].size() == test::dropped_script().chain.size());
}

TEST_CASE("no bytes in a finding break its line") {
    for (int byte = 0; byte < 256; ++byte) {
        for (const std::string tail : {"", "\x80", "\xae\x80"}) {
            auto finding = test::bare();
            const std::string text = static_cast<char>(byte) + tail;
            finding.process.user = text;
            finding.code.path = text;
            finding.process.argv = {text, text};
            const auto line = report::to_json(finding);
            CAPTURE(byte, base::to_hex(tail));
            REQUIRE(harmless(line));
            const auto json = ordered_json::parse(line);
            const auto key = base::is_utf8(text) ? "path" : "path_hex";
            REQUIRE(json["code"][key] == (base::is_utf8(text) ? text : base::to_hex(text)));
        }
    }
    for (const auto& finding : {test::hostile(), test::huge()}) {
        const auto line = report::to_json(finding);
        CHECK(harmless(line));
        CHECK(ordered_json::accept(line));
    }
}
