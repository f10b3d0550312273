// What later events make of a run: children, files, memory, signals.
#include "support/catch.hpp"
#include "support/log.hpp"

namespace follow_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;
using Briefs = std::vector<std::string>;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;

const Who shell{.pid = 10, .ppid = 1, .exe = "/usr/bin/bash"};
const Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"};
const Who jit{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/luajit"};
const Who child{.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/lua5.4"};

Who as(std::string exe) {
    return {.pid = 30, .ppid = 20, .uid = 33, .exe = std::move(exe)};
}

// A run of an old script, with a child that is yet to exec.
Log run(const Who& interpreter = lua) {
    Log log;
    log.at(start).exec(shell, {"bash"}).fork(shell, 20);
    log.at(start + 10).exec(interpreter, {interpreter.exe, "/srv/old.lua"}).fork(interpreter, 30);
    return log.at(start + 500);
}

// The kinds that were chained with the latest finding.
std::string chained(const Log& log) {
    const auto made = replay(log.text);
    std::string kinds;
    for (const auto& entry : made.findings.back().chain) {
        kinds += (kinds.empty() ? "" : " ") + std::string(to_string(entry.kind));
    }
    return std::to_string(made.findings.size()) + " " + kinds;
}

const std::string none = "1 "; // the run alone

detect::EngineOptions empty_baseline() {
    detect::EngineOptions options;
    options.baseline.load_text("schema = 1\n", "b.toml");
    return options;
}

} // namespace

TEST_CASE("a download tool below a run raises it, other programs do not") {
    auto log = run();
    log.exec(as("/usr/bin/curl"), {"curl", "-sO", "http://192.0.2.1/x"});
    const auto made = replay(log.text, empty_baseline());
    REQUIRE(made.briefs == Briefs{"low script: |", "medium script: download |"});
    CHECK(made.findings[1].chain[0].by->argv.back() == "http://192.0.2.1/x");
    CHECK(made.findings[1].chain[0].by->kind == "downloader");
    CHECK(made.findings[1].chain[0].depth == 1U);
    CHECK(replay(run().exec(as("/usr/bin/id"), {"id"}).text, empty_baseline()).findings.size() == 1);
}

TEST_CASE("a file from which programs are started counts, others do not") {
    for (const auto* path : {"/etc/cron.d/job", "/var/spool/cron/crontabs/root", "/etc/systemd/system/x.service",
                             "/home/jo/.bashrc", "/root/.ssh/authorized_keys", "/etc/profile.d/x.sh"}) {
        INFO(path);
        const auto made = replay(run().create(child, path, 900).text, empty_baseline());
        REQUIRE(made.briefs.size() == 2);
        CHECK(made.briefs[1] == "medium script: persistence |");
        CHECK(made.findings[1].chain[0].path == path);
    }
    CHECK(chained(run().create(child, "/tmp/x", 900)) == none);
    CHECK(chained(run().create(shell, "/etc/cron.d/job", 900)) == none); // not below the run
}

TEST_CASE("a program that the run's own tree brought, run below it, is a second stage") {
    auto log = run();
    log.create(child, "/tmp/.x/stage2", 900).exec(as("/tmp/.x/stage2"), {"/tmp/.x/stage2"});
    const auto made = replay(log.text, empty_baseline());
    REQUIRE(made.briefs == Briefs{"low script: |", "medium script: second-stage |"});
    CHECK(made.findings[1].chain[0].path == "/tmp/.x/stage2");

    auto others = run();
    others.create(shell, "/tmp/.x/stage2", 900).exec(as("/tmp/.x/stage2"), {"/tmp/.x/stage2"});
    CHECK(replay(others.text, empty_baseline()).findings.size() == 1); // somebody else's file
}

namespace {

std::string after_call(const Who& interpreter, const Who& who, int number, const std::string& arguments,
                       const char* success = "yes") {
    auto log = run(interpreter);
    return chained(log.call(who, number, fmt::format("success={} exit=140 {} items=0", success, arguments)));
}

constexpr int mmap = 9, mprotect = 10, ptrace = 101, process_vm_writev = 311; // x86-64

} // namespace

TEST_CASE("anonymous executable memory: any of PUC Lua, of LuaJIT only what is writable too") {
    CHECK(after_call(lua, lua, mmap, "a0=0 a1=1000 a2=5 a3=22") == "2 exec-memory");
    CHECK(after_call(lua, lua, mmap, "a0=0 a1=1000 a2=7 a3=22") == "2 exec-memory");
    CHECK(after_call(lua, lua, mmap, "a0=0 a1=1000 a2=5 a3=2") == none);  // of a file: a library
    CHECK(after_call(lua, lua, mmap, "a0=0 a1=1000 a2=3 a3=22") == none); // not executable
    CHECK(after_call(lua, lua, mmap, "a0=0 a1=1000 a2=7 a3=22", "no") == none);
    CHECK(after_call(lua, lua, mprotect, "a0=0 a1=1000 a2=7 a3=0") == "2 exec-memory");
    CHECK(after_call(lua, lua, mprotect, "a0=0 a1=1000 a2=5 a3=0") == none); // ld.so does it
    CHECK(after_call(jit, jit, mmap, "a0=0 a1=1000 a2=5 a3=22") == none);
    CHECK(after_call(jit, jit, mprotect, "a0=0 a1=1000 a2=5 a3=0") == none);
    CHECK(after_call(jit, jit, mmap, "a0=0 a1=1000 a2=7 a3=22") == "2 exec-memory");
    CHECK(after_call(lua, shell, mmap, "a0=0 a1=1000 a2=7 a3=22") == none);
    for (const auto* program : {"awesome", "conky"}) { // the first makes closures with libffi itself
        auto log = run();                              // something else
        const Who host{.pid = 70, .ppid = 10, .uid = 33, .exe = std::string("/usr/bin/") + program};
        log.exec(host, {program, "-c", "/srv/rc.lua"});
        log.call(host, mmap, "success=yes exit=140 a0=0 a1=1000 a2=7 a3=22 items=0");
        const auto made = replay(log.text, empty_baseline()).briefs;
        CHECK(std::count(made.begin(), made.end(), "high embedded: exec-memory |") == (program[0] == 'c' ? 1 : 0));
    }
    CHECK(after_call(lua, as("/usr/bin/node"), mmap, "a0=0 a1=1000 a2=7 a3=22") == none); // a child's own
}

TEST_CASE("injection counts into a run and out of it") {
    CHECK(after_call(lua, lua, process_vm_writev, "a0=a a1=0 a2=1 a3=0") == "2 injection");    // into the shell, pid 10
    CHECK(after_call(lua, shell, process_vm_writev, "a0=14 a1=0 a2=1 a3=0") == "2 injection"); // into the run, pid 20
    CHECK(after_call(lua, shell, process_vm_writev, "a0=15 a1=0 a2=1 a3=0") == none);
    CHECK(after_call(lua, shell, ptrace, "a0=10 a1=14 a2=0 a3=0") == "2 injection");   // ATTACH
    CHECK(after_call(lua, shell, ptrace, "a0=4206 a1=14 a2=0 a3=0") == "2 injection"); // SEIZE
    CHECK(after_call(lua, lua, ptrace, "a0=0 a1=0 a2=0 a3=0") == none);                // TRACEME
    CHECK(after_call(lua, shell, ptrace, "a0=1 a1=14 a2=0 a3=0") == none);             // PEEKTEXT
    CHECK(after_call(lua, shell, ptrace, "a0=10 a1=14 a2=0 a3=0", "no") == none);
}

TEST_CASE("signals and denials name the run by its pid") {
    CHECK(chained(run().lone("SECCOMP", "auid=4294967295 uid=33 gid=33 ses=4294967295 pid=20 comm=\"lua5.4\" "
                                        "exe=\"/usr/bin/lua5.4\" sig=31 arch=c000003e syscall=101 compat=0 ip=0x7f "
                                        "code=0x80000000")) == "2 crash");
    CHECK(chained(run().lone("SECCOMP", "auid=4294967295 uid=33 pid=21 comm=\"x\" sig=31")) == none);
    CHECK(chained(run().lone("AVC", "avc:  denied  { execmem } for  pid=20 comm=\"lua5.4\" "
                                    "scontext=system_u:system_r:httpd_t:s0 tclass=process permissive=0")) ==
          "2 exec-memory");
    CHECK(chained(run().lone("AVC", "avc:  denied  { read } for  pid=20 comm=\"lua5.4\"")) == none);
    CHECK(chained(run().lone("AVC", "avc:  granted  { execmem } for  pid=20 comm=\"lua5.4\"")) == none);
}

TEST_CASE("how deep below the run a child is counts processes, not execs") {
    auto log = run();
    const Who deeper{.pid = 31, .ppid = 30, .uid = 33, .exe = "/usr/bin/env"};
    log.exec(as("/usr/bin/env"), {"env", "x"}).exec(as("/usr/bin/xargs"), {"xargs"}).fork(as("/usr/bin/xargs"), 31);
    log.exec(deeper, {"env", "sh"});
    log.exec({.pid = 31, .ppid = 30, .uid = 33, .exe = "/usr/bin/dash"}, {"sh", "-c", "id"});
    const auto made = replay(log.text, empty_baseline());
    REQUIRE(made.findings.size() == 2);
    CHECK(made.findings[1].chain[0].depth == 2U);
}

TEST_CASE("each kind raises a run once") {
    auto log = run();
    log.exec(as("/usr/bin/curl"), {"curl", "x"}).exec(as("/usr/bin/curl"), {"curl", "y"});
    CHECK(replay(log.text, empty_baseline()).findings.size() == 2);
}

namespace {

detect::EngineOptions expecting_it() {
    detect::EngineOptions options;
    options.baseline.load_text("schema = 1\n[[expect]]\nid = \"old\"\nscript = \"/srv/old.lua\"\n", "b.toml");
    return options;
}

// An opening for reading by the run of what somebody brought before.
std::string opened(const std::string& path, const detect::EngineOptions& options, const char* mode = "0100644") {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, path, 950).fork(shell, 20);
    log.at(start + 10).exec(lua, {"lua5.4", "/srv/old.lua"}).at(start + 20).read(lua, path, 950, mode);
    const auto made = replay(log.text, options);
    return made.briefs.empty() ? "none" : made.briefs.back();
}

} // namespace

TEST_CASE("a dropped module that a run opens is a drop; data is none") {
    CHECK(opened("/tmp/m.lua", empty_baseline()) == "high script: module-drop/create |");
    CHECK(opened("/tmp/m.so", empty_baseline()) == "high script: module-drop/create |");
    CHECK(opened("/tmp/m.so.1.2", empty_baseline()) == "high script: module-drop/create |");
    CHECK(opened("/tmp/input.json", empty_baseline()) == "low script: |");
    CHECK(opened("/tmp/input.json", empty_baseline(), "0100755") == "high script: module-drop/create |");
    Log log = run(); // an old one
    CHECK(replay(log.read(lua, "/usr/share/lua/5.4/m.lua", 951).text, empty_baseline()).briefs.back() ==
          "low script: |");
}

TEST_CASE("what an expected run does later is judged by the same table") {
    CHECK(opened("/tmp/m.lua", expecting_it()) == "medium script: module-drop/create |");
    CHECK(opened("/tmp/input.json", expecting_it()) == "none");
    auto shells = run();
    shells.exec(as("/usr/bin/dash"), {"sh", "-c", "id"});
    CHECK(replay(shells.text, expecting_it()).findings.empty());
    shells.call(lua, mmap, "success=yes exit=140 a0=0 a1=1000 a2=7 a3=22 items=0");
    const auto made = replay(shells.text, expecting_it());
    REQUIRE(made.briefs == Briefs{"high script: child-shell exec-memory |"});
    CHECK(!made.findings[0].follows);
    CHECK(made.counters.expected_runs == 1);
}

} // namespace follow_test
