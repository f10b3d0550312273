#include <cstdlib>
#include <ctime>
#include <string>

#include <nlohmann/json.hpp>

#include "luatrail/report/json.hpp"
#include "luatrail/report/syslog.hpp"
#include "report/findings.hpp"
#include "support/catch.hpp"

using namespace luatrail;
using nlohmann::ordered_json;

namespace {

std::string json_of(const std::string& message) {
    return message.substr(message.find('{'));
}
std::string head_of(const std::string& message) {
    return message.substr(0, message.find('{'));
}

bool ascii(const std::string& text) {
    return text.find_first_not_of(
               " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") ==
           std::string::npos;
}

} // namespace

TEST_CASE("a finding becomes one RFC 5424 message that ends in its JSON") {
    report::SyslogFormat format;
    format.hostname = "web01";
    format.procid = "4711";
    const auto message = report::to_syslog(test::dropped_script(), format);
    CHECK(head_of(message) ==
          "<82>1 2026-11-25T02:00:10.666Z web01 luatrail 4711 finding "
          "[luatrail@32473 id=\"5b0c1f0e9a7d3c42\" severity=\"critical\" verdict=\"unexpected\" origin=\"script\" "
          "profile=\"luajit\" uid=\"33\"] ");
    CHECK(json_of(message) == report::to_json(test::dropped_script()));
}

TEST_CASE("each severity has its syslog severity, and the facility is the one asked for") {
    auto finding = test::bare();
    report::SyslogFormat format;
    std::string priorities;
    for (int severity = 0; severity <= static_cast<int>(detect::Severity::critical); ++severity) {
        finding.severity = static_cast<detect::Severity>(severity);
        const auto message = report::to_syslog(finding, format);
        priorities += message.substr(0, message.find('>') + 1);
    }
    CHECK(priorities ==
          "<86><85><84><83><82>"); // authpriv is 10: 80 and informational, notice, warning, error, critical
    format.facility = 16;
    CHECK(report::to_syslog(finding, format).substr(0, 5) == "<130>");
}

TEST_CASE("what stands before the JSON is escaped, short, and never opens a brace") {
    report::SyslogFormat format;
    format.hostname = "web 01\n{";
    format.app_name = std::string(100, 'a');
    format.procid = "";
    format.max_bytes = 65536;
    const auto message = report::to_syslog(test::hostile(), format);
    CHECK(head_of(message) == "<83>1 2026-11-25T02:00:10.666Z web_01__ " + std::string(48, 'a') +
                                  " - finding [luatrail@32473 id=\"5b0c1f0e9a7d3c42\" severity=\"high\" "
                                  "verdict=\"unknown\" origin=\"inline\" "
                                  R"(profile="profile_[31m\"\\\]'__________________$(id)}<script>" uid="33"] )");
    CHECK(ascii(message));
    CHECK(ordered_json::parse(json_of(message)) == ordered_json::parse(report::to_json(test::hostile())));
}

TEST_CASE("the cee form looks like a call of syslog(3), in the host's own zone") {
    const char* before = std::getenv("TZ");
    const std::string zone = before != nullptr ? before : "";
    ::setenv("TZ", "XYZ-01:00", 1); // an hour east of Greenwich
    ::tzset();
    report::SyslogFormat format;
    format.kind = report::SyslogFormat::Kind::cee;
    auto finding = test::bare();
    finding.time_ms = 1793844000000; // 2026-11-05T02:00:00Z
    CHECK(head_of(report::to_syslog(finding, format)) == "<86>Nov  5 03:00:00 luatrail: @cee: ");
    format.procid = "4711";
    const auto message = report::to_syslog(test::dropped_script(), format);
    CHECK(head_of(message) == "<82>Nov 25 03:00:10 luatrail[4711]: @cee: ");
    CHECK(json_of(message) == report::to_json(test::dropped_script()));
    if (before != nullptr) {
        ::setenv("TZ", zone.c_str(), 1);
    } else {
        ::unsetenv("TZ");
    }
    ::tzset();
}

TEST_CASE("a finding that fits is not shortened") {
    report::SyslogFormat format;
    format.max_bytes = 65536;
    const auto whole = report::to_syslog(test::hostile(), format);
    CHECK(json_of(whole).find("\"shortened\"") == std::string::npos);
    format.max_bytes = whole.size();
    CHECK(report::to_syslog(test::hostile(), format) == whole);
    format.max_bytes = whole.size() - 1;
    const auto less = report::to_syslog(test::hostile(), format);
    CHECK(less.size() < whole.size());
    CHECK(ordered_json::parse(json_of(less))["shortened"].dump() == R"(["reasons"])");
}

TEST_CASE("whatever a finding holds, its message is valid JSON within the limit and says what it lost") {
    report::SyslogFormat format;
    format.hostname = std::string(300, 'h');
    format.app_name = std::string(100, 'a');
    format.procid = std::string(200, '9');
    auto widest = test::huge();
    widest.process.pid = 4294967295;
    widest.process.ppid = widest.process.uid = widest.process.euid = widest.process.auid = widest.process.session =
        4294967295;
    widest.events.assign(50, {253402300799999, 18446744073709551615ULL});
    widest.interpreter.identified_by = detect::IdentifiedBy::package;
    widest.code.origin = detect::Origin::interactive;
    widest.expectation.verdict = detect::Verdict::unexpected;
    widest.degraded = test::hostile().degraded;
    for (auto& entry : widest.chain) {
        entry.kind = detect::ChainKind::interpreter_drop;
        entry.event = widest.events.front();
        entry.age_ms = 9999999999999;
    }
    for (const auto& finding : {test::huge(), test::hostile(), widest}) {
        const auto whole = ordered_json::parse(report::to_json(finding));
        for (std::size_t limit = 0; limit < 70'000; limit = limit * 3 / 2 + 1000) {
            format.max_bytes = limit;
            const auto message = report::to_syslog(finding, format);
            CAPTURE(limit, message.size());
            REQUIRE(message.size() <= std::max(limit, report::least_syslog_bytes));
            REQUIRE(ascii(message));
            const auto json = ordered_json::parse(json_of(message));
            REQUIRE(json["id"] == finding.id);
            REQUIRE(json["chain"].size() >= 1);
            REQUIRE(json["events"].size() >= 1);
            REQUIRE(json.contains("shortened") == (json != whole));
        }
    }
}

TEST_CASE("shortening takes the middle out, counts it, and keeps characters whole") {
    auto finding = test::dropped_script();
    finding.process.argv.assign(1, "lua");
    for (int at = 0; at < 500; ++at) {
        finding.process.argv.push_back("argument-" + std::to_string(at));
    }
    finding.code.inline_text.emplace();
    for (int at = 0; at < 3000; ++at) {
        *finding.code.inline_text += "\xe2\x82\xac";
    }
    report::SyslogFormat format;
    format.max_bytes = 4000;
    const auto json = ordered_json::parse(json_of(report::to_syslog(finding, format)));
    CHECK(json["shortened"].dump() == R"(["process.argv","code.inline"])");
    const auto& argv = json["process"]["argv"];
    CHECK(argv[0] == "lua");
    CHECK(argv[1] == "argument-0");
    CHECK(argv.back() == "argument-499");
    CHECK(argv[argv.size() - 2] == "[..." + std::to_string(501 - (argv.size() - 1)) + " arguments...]");
    const auto text = json["code"]["inline"].get<std::string>();
    const auto mark = text.find("[...");
    const auto end = text.find("...]") + 4;
    CHECK(text.substr(mark, end - mark) == "[..." + std::to_string(9000 - (text.size() - (end - mark))) + " bytes...]");
    CHECK_FALSE(json["code"].contains("inline_hex")); // it was UTF-8, and still is
    CHECK(json["code"]["path"] == "/dev/shm/.cache/u");
}

TEST_CASE("lost findings are told of in a message of the worst one's severity") {
    report::LostFindings lost;
    lost.by_severity = {4, 3, 0, 1, 0};
    lost.first_ms = 1795572010662;
    lost.last_ms = 1795572010666;
    CHECK(report::to_syslog(lost, {}) ==
          "<83>1 2026-11-25T02:00:10.666Z - luatrail - dropped - "
          R"({"schema":"luatrail/dropped/1","dropped":{"info":4,"low":3,"medium":0,"high":1,"critical":0},)"
          R"("first":"2026-11-25T02:00:10.662Z","last":"2026-11-25T02:00:10.666Z"})");
    lost.by_severity = {4, 0, 0, 0, 0};
    CHECK(report::to_syslog(lost, {}).substr(0, 4) == "<84>");
}
