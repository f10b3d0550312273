#include <random>
#include <string>
#include <vector>

#include "audit/support.hpp"

using namespace luatrail;
using audit::Closed;
using namespace audit_test;

namespace {

using Texts = std::vector<std::string>;

std::string exec_event(const std::string& stamp) {
    return syscall_line(stamp, 59) + line("EXECVE", stamp, "argc=1 a0=\"lua\"") + line("CWD", stamp, "cwd=\"/\"") +
           line("PROCTITLE", stamp, "proctitle=\"lua\"");
}

} // namespace

TEST_CASE("records with one stamp are one event, in the order in which they came") {
    const auto made = events_of(exec_event("1.000:5") + exec_event("1.001:6"));
    CHECK(made.texts() == Texts{"1.000:5 SYSCALL EXECVE CWD PROCTITLE", "1.001:6 SYSCALL EXECVE CWD PROCTITLE"});
    CHECK(made.counters.records == 8);
    CHECK(made.counters.events == 2);
    CHECK(made.counters.duplicates + made.counters.late + made.counters.evicted + made.counters.trimmed == 0);
}

TEST_CASE("an end of event is no record of it, and no event of its own") {
    const auto made = events_of(exec_event("1.000:5") + line("EOE", "1.000:5"));
    CHECK(made.texts() == Texts{"1.000:5 SYSCALL EXECVE CWD PROCTITLE"});
    CHECK(made.events.front()->event().closed == Closed::end_of_event);
    CHECK(events_of(line("EOE", "1.000:5")).texts().empty());
}

TEST_CASE("time, serial and node each tell events apart") {
    const auto record = "cwd=\"/\"";
    const auto made =
        events_of(line("CWD", "1.000:5", record) + line("CWD", "1.001:5", record) + line("CWD", "1.000:6", record) +
                  "node=a " + line("CWD", "1.000:5", record) + "node=b " + line("CWD", "1.000:5", record) + "node=a " +
                  line("EXECVE", "1.000:5", "argc=0"));
    CHECK(made.texts() == Texts{"1.000:5 CWD", "1.001:5 CWD", "1.000:6 CWD", "a 1.000:5 CWD EXECVE", "b 1.000:5 CWD"});
}

TEST_CASE("events come in the order of their first record, whichever is complete first") {
    const auto made = events_of(syscall_line("2.000:9", 59) + exec_event("1.000:5") + line("EOE", "1.000:5") +
                                line("CWD", "2.000:9", "cwd=\"/\"") + line("EOE", "2.000:9"));
    CHECK(made.texts() == Texts{"2.000:9 SYSCALL CWD", "1.000:5 SYSCALL EXECVE CWD PROCTITLE"});
}

TEST_CASE("an event ages only when time has passed and other records came") {
    audit::AssemblerLimits limits;
    limits.timeout_ms = 100;
    limits.quiet_records = 4;
    Keeper keeper;
    audit::Assembler assembler(limits, keeper);
    const auto push = [&](std::int64_t time_ms, std::uint64_t serial) {
        assembler.push({.id = {time_ms, serial},
                        .type = 1307,
                        .type_name = "CWD",
                        .node = {},
                        .body = "cwd=\"/\"",
                        .enriched = {}});
        return keeper.events.size();
    };
    CHECK(push(1000, 1) == 0);
    CHECK(push(1100, 2) == 0); // time enough, one record only
    CHECK(push(1100, 3) == 0);
    CHECK(push(1100, 4) == 0);
    CHECK(push(1100, 5) == 1); // both
    CHECK(push(1199, 6) == 1); // the second began when 1100 was the newest: one millisecond is missing
    CHECK(push(1200, 7) == 3);
    CHECK(assembler.in_flight() == 4);
    CHECK(keeper.events.front()->event().closed == Closed::aged);
    assembler.flush();
    CHECK(keeper.events.size() == 7);
    CHECK(keeper.events.back()->event().closed == Closed::end_of_input);
}

TEST_CASE("a clock that was set back does not keep events open") {
    audit::AssemblerLimits limits;
    limits.stale_records = 10;
    Keeper keeper;
    audit::Assembler assembler(limits, keeper);
    for (std::uint64_t serial = 0; serial < 1000; ++serial) {
        assembler.push({.id = {1'000'000 - static_cast<std::int64_t>(serial), serial},
                        .type = 1307,
                        .type_name = "CWD",
                        .node = {},
                        .body = "cwd=\"/\"",
                        .enriched = {}});
        CHECK(assembler.in_flight() <= 10);
    }
    CHECK(keeper.events.size() == 990);
}

TEST_CASE("live, an event is handed over with its end or with its last record") {
    Way live;
    live.limits.eager = true;
    const auto closed_after = [&](const std::string& log) {
        const auto made = assemble(log, live);
        REQUIRE(!made.events.empty());
        return made.events.front()->event().closed;
    };
    CHECK(closed_after(exec_event("1.000:5")) == Closed::content); // items=0 and PROCTITLE
    CHECK(closed_after(syscall_line("1.000:5", 59) + line("EOE", "1.000:5")) == Closed::end_of_event);
    CHECK(closed_after(syscall_line("1.000:5", 59)) == Closed::end_of_input);
    const auto two_items = line("SYSCALL", "1.000:5", "arch=c000003e syscall=59 items=2 pid=1");
    const auto title = line("PROCTITLE", "1.000:5", "proctitle=\"lua\"");
    const auto path = line("PATH", "1.000:5", "item=0 name=\"/a\"");
    CHECK(closed_after(two_items + path + title) == Closed::end_of_input);
    CHECK(closed_after(two_items + path + line("PATH", "1.000:5", "item=1 name=\"/b\"") + title) == Closed::content);
    CHECK(closed_after(path + title) == Closed::end_of_input);
}

TEST_CASE("live, an open event holds back those behind it until it ends or ages") {
    audit::AssemblerLimits limits;
    limits.eager = true;
    Keeper keeper;
    audit::Assembler assembler(limits, keeper);
    const auto push = [&](std::uint64_t serial, audit::RecordType type, std::string_view body) {
        assembler.push(
            {.id = {1000, serial}, .type = type, .type_name = "T", .node = {}, .body = body, .enriched = {}});
        return keeper.events.size();
    };
    assembler.tick(50'000);
    CHECK(push(1, 1300, "syscall=59 items=0") == 0);
    CHECK(push(2, 1300, "syscall=59 items=0") == 0);
    CHECK(push(2, 1320, "") == 0);
    CHECK(push(3, 1100, "user space's events wait for nobody") == 0);
    assembler.tick(51'999);
    CHECK(keeper.events.empty());
    CHECK(push(1, 1320, "") == 2);
    assembler.tick(52'000);
    CHECK(keeper.events.size() == 3);
    CHECK(assembler.in_flight() == 0);
}

TEST_CASE("a record behind its event's release is an event of its own, and says so") {
    Way live;
    live.limits.eager = true;
    const auto made = assemble(exec_event("1.000:5") + line("EOE", "1.000:5") +
                                   line("PATH", "1.000:5", "item=0 name=\"/a\"") + line("CWD", "1.000:6", "cwd=\"/\""),
                               live);
    CHECK(made.texts() == Texts{"1.000:5 SYSCALL EXECVE CWD PROCTITLE", "1.000:5 PATH late", "1.000:6 CWD"});
    CHECK(made.counters.late == 1); // the PATH; the EOE tells nothing more
    CHECK(made.counters.events == 3);
    CHECK(made.events[1]->typed().partial);
}

TEST_CASE("of an event with more text than allowed the first records are kept, and the rest is counted") {
    Way small;
    small.limits.max_event_bytes = 1000;
    std::string log = line("EXECVE", "1.000:5", "argc=20");
    for (int i = 0; i < 20; ++i) {
        log += line("EXECVE", "1.000:5", fmt::format("a{}=\"{}\"", i, std::string(100, 'x')));
    }
    log += line("PATH", "1.000:5", "item=0 name=\"/a\"");
    const auto made = assemble(log, small);
    CHECK(made.texts() == Texts{"1.000:5 EXECVE EXECVE EXECVE EXECVE EXECVE PATH trimmed"});
    CHECK(made.counters.trimmed == 16);
    CHECK(made.events.front()->typed().partial);
    CHECK(made.events.front()->typed().execve.truncated);
}

TEST_CASE("what never ends is bounded in number and in bytes, and counted") {
    for (const bool by_bytes : {false, true}) {
        audit::AssemblerLimits limits;
        (by_bytes ? limits.max_bytes : limits.max_events) = by_bytes ? 100'000 : 100;
        Keeper keeper;
        audit::Assembler assembler(limits, keeper);
        const std::string body(990, 'x');
        for (std::uint64_t serial = 0; serial < 1000; ++serial) {
            assembler.push({.id = {1000, serial},
                            .type = 1300,
                            .type_name = "SYSCALL",
                            .node = "n",
                            .body = body,
                            .enriched = "AUID"});
            REQUIRE(assembler.in_flight() <= 100);
        }
        CHECK(assembler.counters().evicted == 1000 - assembler.in_flight());
        CHECK(keeper.events.size() == assembler.counters().evicted);
        CHECK(keeper.events.front()->event().closed == Closed::evicted);
        CHECK(keeper.events.front()->typed().partial);
        assembler.flush();
        CHECK(keeper.events.size() == 1000);
        CHECK(assembler.counters().events == 1000);
    }
}

TEST_CASE("after a flush an assembler can be fed again") {
    Keeper keeper;
    audit::Assembler assembler({}, keeper);
    const audit::Record record{
        .id = {1000, 5}, .type = 1307, .type_name = "CWD", .node = {}, .body = "cwd=\"/\"", .enriched = {}};
    assembler.push(record);
    assembler.flush();
    assembler.flush();
    CHECK(keeper.events.size() == 1);
    CHECK(assembler.in_flight() == 0);
    assembler.push(record);
    assembler.flush();
    REQUIRE(keeper.events.size() == 2);
    CHECK(keeper.events.back()->text() == "1.000:5 CWD late");
}

TEST_CASE("any interleaving that keeps each event's records in order gives the same events") {
    std::mt19937 random(3);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::vector<std::string>> queues;
        for (int event = 0; event < 6; ++event) {
            const auto stamp = fmt::format("{}.{:03}:{}", random() % 3, random() % 1000, event);
            auto& queue = queues.emplace_back();
            queue.push_back(syscall_line(stamp, 59));
            const auto paths = random() % 4;
            for (std::size_t item = 0; item < paths; ++item) {
                queue.push_back(line("PATH", stamp, fmt::format("item={} name=\"/{}\"", item, event)));
            }
            if (random() % 2 == 0) {
                queue.push_back(line("EOE", stamp));
            }
        }
        std::string in_order, mixed;
        for (const auto& queue : queues) {
            for (const auto& text : queue) {
                in_order += text;
            }
        }
        std::vector<std::size_t> next(queues.size());
        while (mixed.size() < in_order.size()) {
            const auto at = random() % queues.size();
            if (next[at] < queues[at].size()) {
                mixed += queues[at][next[at]++];
            }
        }
        CAPTURE(mixed);
        REQUIRE(assemble(mixed).whole_sorted() == assemble(in_order).whole_sorted());
        REQUIRE(assemble(mixed, {.chunk = 1 + random() % 50}).whole_sorted() == assemble(in_order).whole_sorted());
    }
}
