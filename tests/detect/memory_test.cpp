// All that an engine keeps is charged to one budget at its true size, whatever is flooded, and stays within it.
#include <algorithm>
#include <functional>
#include <memory>

#include "support/catch.hpp"
#include "support/counted_heap.hpp"
#include "support/log.hpp"

namespace memory_test {

using namespace luatrail;
using test::Log;
using test::Who;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;
constexpr std::size_t node_count = 8;

struct Count final : detect::FindingSink {
    void on_finding(const detect::Finding& /*finding*/) override { ++findings; }
    std::size_t findings = 0;
};

detect::EngineOptions small(std::size_t memory = 2UL * 1024 * 1024) {
    detect::EngineOptions options;
    options.memory = memory;
    return options;
}

// From nothing to as long as a path may be.
std::string name_of(std::uint32_t at) {
    return std::to_string(at) + std::string(at * at * 37 % 4000, 'x');
}

struct Flood {
    std::string what;
    std::function<void(Log& log, std::uint32_t at)> event;
};

const Who worker{.pid = 10, .ppid = 1, .exe = "/usr/bin/worker"};

Who with_exe(std::uint32_t at, std::string exe) {
    return {.pid = 1000 + at, .ppid = 10, .uid = 33, .exe = std::move(exe)};
}

// One for each table of a node, and for those that serve all of them.
std::vector<Flood> floods() {
    const std::string lua = "/usr/bin/lua5.4";
    return {
        {"files", [](Log& log, auto at) { log.create(worker, "/srv/" + name_of(at), 1000 + at); }},
        {"processes",
         [](Log& log, auto at) {
             log.exec(with_exe(at, "/usr/bin/id"), {"id", name_of(at)});
         }},
        {"births", [](Log& log, auto at) { log.fork(worker, 1000 + at); }},
        {"runs, reported findings",
         [lua](Log& log, auto at) {
             log.exec(with_exe(at, lua), {"lua5.4", "/srv/x.lua", name_of(at)});
         }},
        {"runs with code",
         [lua](Log& log, auto at) {
             log.exec(with_exe(at, lua), {"lua5.4", "-e", name_of(at)});
         }},
        {"memfds",
         [](Log& log, auto at) {
             log.call(with_exe(at, "/usr/bin/" + name_of(at)), 319, "success=yes exit=3 a0=1 a1=0 a2=0 a3=0 items=0");
         }},
        {"programs", [](Log& log, auto at) { log.exec(with_exe(at, "/usr/bin/" + name_of(at)), {"x"}); }},
        {"impostors",
         [](Log& log, auto at) {
             log.file_call(worker, "arch=c000003e syscall=257", "a0=ffffff9c a1=1 a2=241 a3=1b6",
                           {{"/srv/", 500, "PARENT"}, {"/srv/x", 5000 + at, "CREATE"}});
             log.file_call(with_exe(at, "/usr/bin/dpkg"), "arch=c000003e syscall=59", "a0=1 a1=2 a2=3 a3=4",
                           {{"/usr/bin/dpkg", 5000 + at}, {"/lib64/ld-linux-x86-64.so.2", 901}});
         }},
        {"copies",
         [](Log& log, auto at) {
             log.exec(with_exe(at, "/usr/bin/cp"), {"cp", "/usr/bin/luajit", "/srv/" + name_of(at)});
         }},
        {"service starts",
         [](Log& log, auto at) {
             log.lone("SERVICE_START", "pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=" + name_of(at) +
                                           " comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" res=success'");
         }},
        {"logins",
         [](Log& log, auto at) {
             log.lone("USER_LOGIN", fmt::format("pid=9 uid=0 auid=1000 ses={} msg='op=login acct=\"{}\" "
                                                "exe=\"/usr/sbin/sshd\" addr={} terminal={} res=success'",
                                                at, name_of(at), name_of(at), name_of(at)));
         }},
        {"interpreters, programs",
         [](Log& log, auto at) {
             log.exec(with_exe(at, "/opt/" + name_of(at) + "/lua5.4"), {"lua5.4", "/srv/x"});
         }},
    };
}

// Events of one flood, in turns on several nodes.
std::string text_of(const Flood& flood, std::uint32_t count) {
    std::vector<Log> logs;
    for (std::size_t node = 0; node < node_count; ++node) {
        logs.emplace_back("n" + std::to_string(node));
    }
    std::string text;
    for (std::uint32_t at = 0; at < count; ++at) {
        auto& log = logs[at % node_count];
        log.text.clear();
        flood.event(log.at(start + at), at);
        text += log.text;
    }
    return text;
}

// Feeds a new engine, and compares what it says to hold with what it does hold.
void check(const std::string& text) {
    auto options = small();
    Count sink;
    const auto before = heap_bytes;
    detect::Engine engine(std::move(options), sink);
    const auto empty = heap_bytes - before - engine.memory();
    test::feed(engine, text);
    const auto taken = heap_bytes - before - empty;
    CHECK(engine.memory() <= engine.memory_limit());
    CHECK(taken + 4096 >= engine.memory());
    CHECK(taken <= engine.memory() + engine.memory() / 20 + 96UL * 1024); // the decoder's own texts
}

} // namespace

TEST_CASE("every table that is flooded stays within the bound of all, and is charged what it takes") {
    for (const auto& flood : floods()) {
        INFO(flood.what);
        check(text_of(flood, 1200));
    }
}

TEST_CASE("names of nodes without end stay within the bound") {
    std::string text;
    for (std::uint32_t at = 0; at < 1500; ++at) {
        Log log("n" + name_of(at));
        text += log.at(start + at).create(worker, "/srv/x", 1000 + at).text;
    }
    check(text);
}

TEST_CASE("all tables flooded at once on all nodes stay within the bound") {
    std::string text;
    for (const auto& flood : floods()) {
        text += text_of(flood, 300);
    }
    check(text + text);
}

TEST_CASE("the bound holds after each event, with one node and with many") {
    const auto all = floods();
    for (const std::size_t nodes : {1UL, 20UL, 300UL}) {
        INFO(nodes << " nodes");
        std::vector<Log> logs;
        for (std::size_t node = 0; node < nodes; ++node) {
            logs.emplace_back("n" + std::to_string(node));
        }
        Count sink;
        detect::Engine engine(small(), sink);
        std::size_t most = 0;
        for (std::uint32_t at = 0; at < 3000; ++at) {
            auto& log = logs[at * 7 % nodes];
            log.text.clear();
            all[at % all.size()].event(log.at(start + at), at);
            test::feed(engine, log.text);
            most = std::max(most, engine.memory());
        }
        CHECK(most <= engine.memory_limit());
        CHECK(most >= engine.memory_limit() * 3 / 4); // it was put to the test
        CHECK(engine.counters().nodes <= nodes);
    }
}

TEST_CASE("a noisy node does not push out the runs and files of a quiet one") {
    const Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"};
    Log quiet("quiet");
    quiet.at(start).exec(worker, {"worker"}).create(worker, "/tmp/late.lua", 700).fork(worker, 20);
    quiet.exec(lua, {"lua5.4", "/srv/x.lua"});
    std::string text = quiet.text;
    for (const auto& flood : floods()) {
        std::uint32_t at = 0;
        Log noisy("noisy");
        for (noisy.at(start + 60'000); at < 1500; ++at) { // the quiet node's events have ended by then
            flood.event(noisy, at);
        }
        text += noisy.text;
    }
    quiet.text.clear();
    quiet.at(start + 120'000).exec({.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"}, {"sh"});
    quiet.exec({.pid = 40, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"}, {"lua5.4", "/tmp/late.lua"});
    test::Findings findings;
    auto options = small();
    options.baseline.load_text("schema = 1\n", "b.toml");
    detect::Engine engine(std::move(options), findings);
    test::feed(engine, text + quiet.text);
    CHECK(engine.counters().evicted_runs > 0);
    CHECK(engine.memory() <= engine.memory_limit());
    std::vector<std::string> told;
    for (const auto& finding : findings.all) {
        if (finding.node == "quiet") {
            told.push_back(test::brief(finding));
        }
    }
    CHECK(told == std::vector<std::string>{"low script: |", "medium script: child-shell |",
                                           "high script: script-drop/create |"});
}

TEST_CASE("a memfd that had to go marks the finding that it could have been part of") {
    const Who maker{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/python3"};
    const Who other{.pid = 21, .ppid = 10, .uid = 33, .exe = "/usr/bin/python3"};
    const Who run{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"};
    const auto told = [&](std::size_t others) {
        Log log;
        log.at(start).call(maker, 319, "success=yes exit=5 a0=1 a1=0 a2=0 a3=0 items=0");
        for (std::size_t at = 0; at < others; ++at) {
            log.call(other, 319, "success=yes exit=6 a0=1 a1=0 a2=0 a3=0 items=0");
        }
        return test::replay(log.exec(run, {"lua5.4", "/proc/self/fd/5"}).text).briefs;
    };
    CHECK(told(10) == std::vector<std::string>{"high descriptor: memfd | no-baseline no-lineage"});
    CHECK(told(300) == std::vector<std::string>{"high descriptor: | no-baseline no-lineage evicted"});
}

} // namespace memory_test
