#include "luatrail/report/repeat_filter.hpp"

#include <functional>
#include <string>
#include <vector>

#include "report/findings.hpp"
#include "report/sentences.hpp"
#include "support/catch.hpp"

using namespace luatrail;

namespace {

// "ID" of each finding that passed, with the text of its reason "repeated" behind it.
struct Seen : detect::FindingSink {
    std::vector<std::string> lines;
    void on_finding(const detect::Finding& finding) override {
        std::string line = finding.id;
        for (const auto& reason : report::sentences_of(finding).reasons) {
            line += reason.id == "repeated" ? " " + reason.text : "";
        }
        lines.push_back(line);
    }
};

using Lines = std::vector<std::string>;

detect::Finding at(std::int64_t ms, const std::string& id, const std::function<void(detect::Finding&)>& change = {}) {
    auto finding = test::dropped_script();
    finding.time_ms = ms;
    finding.id = id;
    finding.process.pid = static_cast<std::uint32_t>(ms); // differs, and does not matter
    if (change) {
        change(finding);
    }
    return finding;
}

constexpr std::int64_t minute = 60'000;

} // namespace

TEST_CASE("equal findings within the interval are counted into one, told of when a later finding ends it") {
    Seen seen;
    report::RepeatFilter filter(seen, {});
    filter.on_finding(at(0, "a"));
    filter.on_finding(at(1, "b"));
    filter.on_finding(at(minute - 1, "c"));
    CHECK(seen.lines == Lines{"a"});
    filter.on_finding(at(minute, "d"));
    CHECK(seen.lines == Lines{"a", "c seen 3 times since 1970-01-01T00:00:00.000Z, when finding a was reported", "d"});
    filter.flush(); // d stands alone: nothing more to tell
    CHECK(seen.lines.size() == 3);
    CHECK(filter.counters().passed == 2);
    CHECK(filter.counters().suppressed == 2);
    CHECK(filter.counters().summaries == 1);
}

TEST_CASE("an interval ends by another finding's time, by a tick and by a flush") {
    const std::string summary = "b seen 2 times since 1970-01-01T00:00:00.000Z, when finding a was reported";
    Seen seen;
    report::RepeatFilter filter(seen, {});
    const auto begin = [&] {
        seen.lines.clear();
        filter.on_finding(at(0, "a"));
        filter.on_finding(at(1, "b"));
    };
    begin();
    filter.on_finding(at(minute, "other", [](auto& f) { f.node = "db"; }));
    CHECK(seen.lines == Lines{"a", summary, "other"});
    filter.flush();
    begin();
    filter.tick(minute - 1);
    CHECK(seen.lines == Lines{"a"});
    filter.tick(minute);
    CHECK(seen.lines == Lines{"a", summary});
    begin();
    filter.flush();
    CHECK(seen.lines == Lines{"a", summary});
    filter.flush();
    CHECK(seen.lines == Lines{"a", summary});
}

TEST_CASE("what differs in anything that matters is another finding") {
    const std::vector<std::function<void(detect::Finding&)>> changes{
        [](auto& f) { f.node = "db"; },
        [](auto& f) { f.node.reset(); },
        [](auto& f) { f.severity = detect::Severity::high; },
        [](auto& f) { f.interpreter.exe = "/usr/bin/lua"; },
        [](auto& f) { f.process.uid = 0; },
        [](auto& f) { f.process.uid.reset(); },
        [](auto& f) { f.code.origin = detect::Origin::descriptor; },
        [](auto& f) { f.code.path = "/dev/shm/v"; },
        [](auto& f) { f.code.inline_text = "x"; },
        [](auto& f) { f.chain.pop_back(); },
        [](auto& f) { f.chain.front().kind = detect::ChainKind::module_drop; },
        [](auto& f) { f.chain.front().path = "/dev/shm/second"; }, // it is critical
        [](auto& f) { f.code.argument = "./v"; },
    };
    for (std::size_t index = 0; index < changes.size(); ++index) {
        CAPTURE(index);
        Seen seen;
        report::RepeatFilter filter(seen, {});
        filter.on_finding(at(0, "a"));
        filter.on_finding(at(1, "b", changes[index]));
        CHECK(seen.lines == Lines{"a", "b"});
    }
}

TEST_CASE("below critical, the paths of the chain do not tell findings apart") {
    Seen seen;
    report::RepeatFilter filter(seen, {});
    const auto high = [](auto& f) { f.severity = detect::Severity::high; };
    filter.on_finding(at(0, "a", high));
    filter.on_finding(at(1, "b", [&](auto& f) {
        high(f);
        f.chain.front().path = "/dev/shm/second";
    }));
    CHECK(seen.lines == Lines{"a"});
}

TEST_CASE("texts that run together are not mistaken for each other") {
    Seen seen;
    report::RepeatFilter filter(seen, {});
    filter.on_finding(at(0, "a", [](auto& f) { f.code.path = "/x,3:abc", f.code.inline_text.reset(); }));
    filter.on_finding(at(1, "b", [](auto& f) { f.code.path = "/x", f.code.inline_text = "abc"; }));
    CHECK(seen.lines == Lines{"a", "b"});
}

TEST_CASE("findings out of order are counted when near, and pass when far") {
    Seen seen;
    report::RepeatFilter filter(seen, {});
    filter.on_finding(at(10 * minute, "a"));
    filter.on_finding(at(10 * minute - 5, "b"));
    CHECK(seen.lines == Lines{"a"});
    filter.on_finding(at(0, "c"));
    CHECK(seen.lines == Lines{"a", "b seen 2 times since 1970-01-01T00:10:00.000Z, when finding a was reported", "c"});
}

TEST_CASE("without an interval everything passes") {
    Seen seen;
    report::RepeatOptions options;
    options.repeat_ms = 0;
    report::RepeatFilter filter(seen, options);
    filter.on_finding(at(0, "a"));
    filter.on_finding(at(0, "b"));
    filter.flush();
    CHECK(seen.lines == Lines{"a", "b"});
}

TEST_CASE("a full table ends the oldest interval and loses nothing") {
    for (const bool by_bytes : {false, true}) {
        CAPTURE(by_bytes);
        Seen seen;
        report::RepeatOptions options;
        if (by_bytes) {
            options.bytes = 20'000;
        } else {
            options.capacity = 10;
        }
        report::RepeatFilter filter(seen, options);
        constexpr int kinds = 1000;
        for (int kind = 0; kind < kinds; ++kind) {
            for (int copy = 0; copy < 3; ++copy) {
                filter.on_finding(at(kind, "k", [&](auto& f) { f.code.path = "/" + std::to_string(kind); }));
            }
        }
        CHECK(filter.counters().evicted > kinds / 2);
        filter.flush();
        std::size_t summaries = 0;
        for (const auto& line : seen.lines) {
            summaries += line.find("seen 3 times") != std::string::npos ? 1 : 0;
        }
        CHECK(seen.lines.size() == 2 * kinds);
        CHECK(summaries == kinds);
        CHECK(filter.counters().passed == kinds);
        CHECK(filter.counters().suppressed == 2 * kinds);
    }
}
