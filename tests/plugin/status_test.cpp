#include "plugin/status.hpp"

#include <regex>
#include <set>
#include <sstream>

#include "luatrail/base/error.hpp"
#include "luatrail/plugin/status_page.hpp"
#include "luatrail/plugin/status_prometheus.hpp"
#include "support/catch.hpp"

using namespace luatrail;

namespace {

constexpr std::int64_t noon = 1795572000000; // 2026-11-25T02:00:00Z

plugin::Status sample() {
    plugin::Status status;
    status.version = "0.1.0";
    status.config = "/etc/luatrail/luatrail.toml";
    status.pid = 4711;
    status.started_ms = noon;
    status.written_ms = noon + 3'600'000;
    status.every_ms = 10'000;
    status.parsed.records = 1000;
    status.parsed.malformed[1] = 7;
    status.engine.events = 400;
    status.engine.runs = 5;
    status.engine.expected_runs = 2;
    status.engine.findings[3] = 40;
    status.memory_limit = 64UL << 20U;
    status.syslog = report::SyslogCounters{40, 1, 2, 3};
    status.losses = {1, 2, 3, 4};
    status.standing = {"luatrail", true, 7};
    status.helpers = {{"look_ups", true}, {"kernel_state", false}};
    status.kernel = rules::KernelStatus{1, 1, 999, 0, 8192, 17, 5};
    for (int at = 0; at < 98; ++at) {
        status.lag.add(3);
    }
    status.lag.add(700);
    status.lag.add(90'000);
    return status;
}

} // namespace

TEST_CASE("the page for a person says how it stands") {
    const auto text = plugin::status_text(plugin::to_json(sample()), noon + 3'605'000);
    for (const auto* part :
         {"pid 4711", "1 h, since", "5 s old", "1000 records", "bad-stamp", "40 high",
          "40 sent, 3 wait, 1 dropped, 2 reconnects", "records by the kernel: 1", "backlog 5 of 8192",
          "half within 5 ms", "99 % within 1000 ms", "user luatrail, system calls limited, writes limited",
          "look_ups lives", "kernel_state HAS ENDED"}) {
        CHECK_THAT(text, has_text(part));
    }
    auto bare = sample();
    bare.syslog.reset();
    bare.kernel.reset();
    bare.lag = {};
    const auto without = plugin::status_text(plugin::to_json(bare), noon);
    CHECK_THAT(without, has_text("syslog     off"));
    CHECK_THAT(without, has_text("kernel     not asked"));
    CHECK_THAT(without, has_text("no event of this host yet"));
}

TEST_CASE("the textfile is what Prometheus reads") {
    // https://prometheus.io/docs/instrumenting/exposition_formats
    const std::regex comment("# (HELP|TYPE) luatrail_[a-z_]+ .+");
    const std::regex metric("(luatrail_[a-z_]+)(\\{[a-z]+=\"[^\"]*\"\\})? [0-9.e+-]+");
    std::istringstream lines(plugin::status_prometheus(plugin::to_json(sample())));
    std::set<std::string> seen;
    std::string type;
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        std::smatch match;
        if (line.starts_with("#")) {
            CHECK(std::regex_match(line, comment));
            if (line.starts_with("# TYPE ")) {
                type = line.substr(7, line.find(' ', 7) - 7);
            }
            continue;
        }
        REQUIRE(std::regex_match(line, match, metric));
        CHECK(match[1].str().starts_with(type)); // metrics stand behind their own type
        CHECK(seen.insert(line.substr(0, line.rfind(' '))).second);
    }
    const auto text = plugin::status_prometheus(plugin::to_json(sample()));
    CHECK_THAT(text, has_text("luatrail_findings_total{severity=\"high\"} 40\n"));
    CHECK_THAT(text, has_text("luatrail_malformed_lines_total{reason=\"bad-stamp\"} 7\n"));
    CHECK_THAT(text, has_text("luatrail_lag_seconds_bucket{le=\"0.005\"} 98\n"));
    CHECK_THAT(text, has_text("luatrail_lag_seconds_bucket{le=\"1\"} 99\n"));
    CHECK_THAT(text, has_text("luatrail_lag_seconds_bucket{le=\"+Inf\"} 100\n"));
    CHECK_THAT(text, has_text("luatrail_up 1\n"));
    CHECK_THAT(text, has_text("luatrail_helper_up{helper=\"look_ups\"} 1\n"));
    CHECK_THAT(text, has_text("luatrail_helper_up{helper=\"kernel_state\"} 0\n"));
}

TEST_CASE("who wrote it, and whether it should have written again") {
    const auto json = plugin::to_json(sample());
    CHECK(plugin::status_writer(json, noon + 3'610'000).pid == 4711);
    CHECK(!plugin::status_writer(json, noon + 3'630'000).late);
    CHECK(plugin::status_writer(json, noon + 3'631'000).late);
    CHECK(!plugin::status_writer(json, noon).ended);
    auto last = sample();
    last.ended = true;
    CHECK(plugin::status_writer(plugin::to_json(last), noon).ended);
    CHECK_THAT(plugin::status_prometheus(plugin::to_json(last)), has_text("luatrail_up 0\n"));
}

TEST_CASE("what is no status is refused") {
    for (const auto* text :
         {"", "{", "[]", "{}", R"({"schema":"luatrail/finding/1"})", R"({"schema":"luatrail/status/1"})",
          R"({"schema":"luatrail/status/1","ended":"no","every_ms":1})"}) {
        INFO(text);
        CHECK_THROWS_AS(plugin::status_text(text, 0), base::Error);
        CHECK_THROWS_AS(plugin::status_prometheus(text), base::Error);
        CHECK_THROWS_AS(plugin::status_writer(text, 0), base::Error);
    }
}

TEST_CASE("lag is counted in its bucket") {
    plugin::Lag lag;
    for (const auto ms : {-5, 0, 1, 2, 3, 30'000, 30'001}) {
        lag.add(ms);
    }
    CHECK(lag.counts().front() == 3);
    CHECK(lag.counts()[1] == 1);
    CHECK(lag.counts()[2] == 1);
    CHECK(lag.counts()[11] == 1);
    CHECK(lag.counts().back() == 1);
    CHECK(lag.total() == 7);
    CHECK(lag.newest_ms() == 30'001);
}
