// What somebody does who knows luatrail, and the verdict that it deserves (docs/detections.md, "Evasions").
#include "support/catch.hpp"
#include "support/log.hpp"

namespace evasions_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;
using Briefs = std::vector<std::string>;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;
constexpr std::int64_t minute = 60'000;
constexpr const char* found = "high script: script-drop/create | no-baseline";
constexpr const char* missed = "info script: | no-baseline";

const Who shell{.pid = 10, .ppid = 1, .exe = "/usr/bin/bash"};
const Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"};

Log dropped() {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700);
    return log;
}

} // namespace

TEST_CASE("10,000 junk drops do not push a drop out of the ledger") {
    auto log = dropped();
    for (std::uint64_t junk = 0; junk < 10'000; ++junk) {
        log.create(shell, "/tmp/junk" + std::to_string(junk), 1000 + junk);
    }
    log.fork(shell, 20).exec(lua, {"lua5.4", "/tmp/x.lua"});
    CHECK(replay(log.text).briefs == Briefs{found});
}

TEST_CASE("junk that was deleted again goes before what is still there") {
    detect::EngineOptions small;
    small.memory = 2UL * 1024 * 1024;
    auto log = dropped();
    for (std::uint64_t junk = 0; junk < 10'000; ++junk) {
        const auto name = "/tmp/junk" + std::to_string(junk);
        log.create(shell, name, 1000 + junk).unlink(shell, name, 1000 + junk);
    }
    log.fork(shell, 20).exec(lua, {"lua5.4", "/tmp/x.lua"});
    const auto made = replay(log.text, small);
    CHECK(made.counters.evicted_files > 0);
    CHECK(made.briefs == Briefs{found});
}

TEST_CASE("a drop is moved through the window by a later change, not by waiting") {
    auto slow = dropped();
    slow.fork(shell, 20).at(start + 10 * minute + 1).exec(lua, {"lua5.4", "/tmp/x.lua"});
    CHECK(replay(slow.text).briefs == Briefs{missed}); // --window decides
    auto touched = dropped();
    touched.at(start + 9 * minute).call(shell, 82, "success=yes exit=0 a0=1 a1=2 a2=0 a3=0 items=0"); // without items
    touched.at(start + 9 * minute).create(shell, "/tmp/x.lua", 701).fork(shell, 20);                  // written anew
    touched.at(start + 12 * minute).exec(lua, {"lua5.4", "/tmp/x.lua"});
    CHECK(replay(touched.text).briefs == Briefs{found});
}

TEST_CASE("a clock that steps back between drop and run hides nothing up to a second") {
    const auto stepped = [](std::int64_t back) {
        auto log = dropped();
        log.fork(shell, 20).at(start - back).exec(lua, {"lua5.4", "/tmp/x.lua"});
        auto made = replay(log.text);
        for (auto& finding : made.findings) {
            finding.degraded = {detect::Degraded::no_baseline}; // the tree is uncertain, too
        }
        return Briefs{test::brief(made.findings.at(0))};
    };
    CHECK(stepped(900) == Briefs{found});
    CHECK(stepped(60 * minute) == Briefs{missed}); // the log says that the run came first
    auto forward = dropped();
    forward.fork(shell, 20).at(start + 60 * minute).exec(lua, {"lua5.4", "/tmp/x.lua"});
    CHECK(replay(forward.text).briefs == Briefs{missed});
}

TEST_CASE("a pid that was a run's is not one when another process has it") {
    auto log = dropped();
    log.fork(shell, 20).exec(lua, {"lua5.4", "/tmp/x.lua"}).exit(lua);
    const Who other{.pid = 20, .ppid = 1, .uid = 1000, .exe = "/usr/bin/dash"};
    log.at(start + 1000).exec(other, {"sh", "-c", "id"});
    CHECK(replay(log.text).briefs == Briefs{found}); // no child shell
}

TEST_CASE("what an interpreter calls itself changes nothing") {
    auto log = dropped();
    log.fork(shell, 20).exec(lua, {"[kworker/0:1]", "/tmp/x.lua"});
    CHECK(replay(log.text).briefs == Briefs{found});
}

} // namespace evasions_test
