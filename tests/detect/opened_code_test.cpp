// What a program runs of what it opens, and what somebody wrote by hand.
#include "support/catch.hpp"
#include "support/session.hpp"

namespace opened_code_test {

using namespace luatrail;
using namespace test;

namespace {

const Briefs dropped{"high embedded: script-drop/create | no-baseline"};

// A file that a shell makes, and that a program then opens.
Briefs opened(const Who& who, const std::vector<std::string>& argv, const std::string& file, const char* flags = "0") {
    auto log = begun();
    log.create(shell, file, 700).exec(who, argv).at(start + 30);
    return briefs(log.read(who, file, 700, "0100644", flags));
}

Who editor(std::uint32_t pid = 20) {
    return {.pid = pid, .ppid = 10, .uid = 33, .exe = "/usr/bin/nvim", .tty = "pts0"};
}

} // namespace

TEST_CASE("an editor runs what lies below a directory that a command adds to its paths, and at each of its own") {
    CHECK(opened(editor(), {"nvim", "--cmd", "set rtp^=/tmp/c/d", "t.txt"}, "/tmp/c/d/plugin/e.lua") == dropped);
    CHECK(opened(editor(), {"nvim", "--cmd", "set rtp^=/tmp/c/d", "t.txt"}, "/tmp/x/plugin/e.lua") == silent);
    CHECK(opened(editor(), {"nvim", "t.txt"}, "/tmp/c/nvim/site/plugin/e.lua") == dropped);
    CHECK(opened(editor(), {"nvim", "t.txt"}, "/tmp/c/nvim/syntax/c.lua") == dropped);
    CHECK(opened(editor(), {"nvim", "/home/u/t.lua"}, "/home/u/t.lua") == silent);
}

TEST_CASE("settings that somebody writes with the editor at a terminal, or has it fetch, are no drop") {
    const std::string settings = "/home/u/.config/nvim/plugin/e.lua";
    const auto written_by = [&](const Who& maker, const std::vector<std::string>& argv) {
        auto log = begun_twice();
        log.exec(maker, argv).create(maker, settings, 700);
        log.at(start + 100).exec(editor(21), {"nvim", "t.txt"}).at(start + 130);
        return briefs(log.read(editor(21), settings, 700));
    };
    CHECK(written_by(editor(), {"nvim", settings}) == silent);
    auto pipe = editor();
    pipe.tty = "(none)";
    CHECK(written_by(pipe, {"nvim", settings}) == dropped);
    CHECK(written_by(editor(), {"nvim", "--headless", "+w! " + settings}) == dropped);
    auto other = editor();
    other.uid = 34;
    CHECK(written_by(other, {"nvim", settings}) == dropped);
    CHECK(written_by(as("/usr/bin/git"), {"git", "clone", "x"}) == dropped);

    auto fetched = begun_twice(); // a plugin manager: git below the editor, without its terminal
    const Who git{.pid = 31, .ppid = 20, .uid = 33, .exe = "/usr/bin/git"};
    fetched.exec(editor(), {"nvim"}).fork(editor(), 31).exec(git, {"git", "clone", "x"}).create(git, settings, 700);
    fetched.at(start + 100).exec(editor(21), {"nvim", "t.txt"}).at(start + 130);
    CHECK(briefs(fetched.read(editor(21), settings, 700)) == silent);
}

TEST_CASE("host programs run what their options and their own directories bring") {
    CHECK(opened(as("/usr/bin/nmap"), {"nmap", "-sn", "--script", "payload", "127.0.0.1"}, "/payload") == dropped);
    CHECK(opened(as("/usr/bin/nmap"), {"nmap", "-iL", "/tmp/hosts", "-sC"}, "/tmp/hosts") == silent);
    CHECK(opened(as("/usr/bin/rpm"), {"rpm", "-E", "%x"}, "/tmp/c/macros") == dropped);
    CHECK(opened(as("/usr/bin/rpm"), {"rpm", "--look"}, "/home/u/.popt") == dropped);
    CHECK(opened(as("/usr/bin/mpv"), {"mpv", "--include=/tmp/a.conf", "x"}, "/tmp/a.conf") == dropped);
    CHECK(opened(as("/usr/bin/mpv"), {"mpv", "/tmp/a.mkv"}, "/tmp/a.mkv") == silent);
}

TEST_CASE("what an interpreter opens as libraries are opened is loaded, whatever its name") {
    const auto loads = [](const char* flags) {
        auto log = begun();
        const auto lua = as("/usr/bin/lua5.4");
        log.create(shell, "/tmp/cj.dat", 700).exec(lua, {"lua5.4", "/srv/old"}).at(start + 30);
        return briefs(log.read(lua, "/tmp/cj.dat", 700, "0100644", flags));
    };
    CHECK(loads("80000") == Briefs{"info script: | no-baseline", "high script: module-drop/create | no-baseline"});
    CHECK(loads("0") == Briefs{"info script: | no-baseline"}); // data
}

TEST_CASE("a variable that the command line assigns is code of the run") {
    const auto with = [](const std::vector<std::string>& before, const std::vector<std::string>& argv) {
        auto log = begun();
        log.exec(as("/usr/bin/env"), before).exec(as("/usr/bin/lua5.4"), argv);
        return briefs(log);
    };
    const Briefs code{"low environment: | no-baseline"};
    CHECK(with({"env", "LUA_INIT=os.exit()", "lua5.4", "-v"}, {"lua5.4", "-v"}) == code);
    CHECK(with({"env", "LUA_INIT_5_4=os.exit()", "lua5.4", "-v"}, {"lua5.4", "-v"}) == code);
    CHECK(with({"env", "LUA_INIT=x", "lua5.4", "-E", "-v"}, {"lua5.4", "-E", "-v"}) == silent);
    CHECK(with({"env", "X=LUA_INIT=x", "lua5.4", "-v"}, {"lua5.4", "-v"}) == silent);
}

TEST_CASE("a script that the kernel or a device shows is in no file") {
    const auto run = [](const std::string& script) {
        return briefs(begun().exec(as("/usr/bin/lua5.4"), {"lua5.4", script}));
    };
    const Briefs in_no_file{"high descriptor: | no-baseline"};
    CHECK(run("/proc/self/environ") == in_no_file);
    CHECK(run("/dev/loop0") == in_no_file);
    CHECK(run("/proc/self/root/srv/old") == Briefs{"info script: | no-baseline"});
    CHECK(run("/dev/shm/x") == Briefs{"high script: shared-memory | no-baseline"});
}

TEST_CASE("a command that came before on the line was no producer of a pipe, also where its fork is told late") {
    auto log = begun();
    const Who sh{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/dash", .tty = "pts0"};
    const Who stty{.pid = 31, .ppid = 20, .uid = 33, .exe = "/usr/bin/stty", .tty = "pts0"};
    log.exec(sh, {"sh", "-c", "stty rows 24; lua5.4"}).exec(stty, {"stty", "rows", "24"}).fork(sh, 31).exit(stty);
    Who lua = sh;
    lua.exe = "/usr/bin/lua5.4";
    CHECK(briefs(log.at(start + 15).exec(lua, {"lua5.4"})) == Briefs{"info stdin: | input-unknown no-baseline"});
}

TEST_CASE("a debugger that started the run injects nothing, and a query of rpm runs nothing") {
    const auto traced = [](const std::string& exe, std::uint32_t tracer) {
        auto log = begun_twice();
        const auto lua = as("/usr/bin/lua5.4");
        Who gdb{.pid = tracer, .ppid = 1, .uid = 33, .exe = exe};
        log.exec(lua, {"lua5.4", "/srv/old"});
        log.call(gdb, 101, "success=yes exit=0 a0=4 a1=14 a2=0 a3=0 items=0"); // PTRACE_POKETEXT of pid 20
        return briefs(log).size();
    };
    CHECK(traced("/usr/bin/gdb", 10) == 1);
    CHECK(traced("/usr/bin/gdb", 50) == 2); // attached
    CHECK(traced("/usr/bin/python3.11", 10) == 2);

    const auto asked = [](const std::string& option) {
        auto log = begun();
        const auto rpm = as("/usr/bin/rpm");
        const Who sh{.pid = 31, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"};
        log.create(shell, "/tmp/x.rpm", 700).exec(rpm, {"rpm", option, "/tmp/x.rpm"}).fork(rpm, 31);
        return briefs(log.exec(sh, {"sh", "-c", "echo"}));
    };
    CHECK(asked("-qpl") == silent);
    CHECK(asked("-U").size() == 1);
}

} // namespace opened_code_test
