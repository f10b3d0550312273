// An interpreter under another name: hard links, copies, redirections, what it calls itself, what a package lists.
#include "support/catch.hpp"
#include "support/session.hpp"

namespace identify_test {

using namespace luatrail;
using namespace test;

namespace {

// How the only finding's interpreter is known, and as which profile.
std::string known(const Log& log, detect::EngineOptions options = {}) {
    const auto made = replay(log.text, std::move(options));
    if (made.findings.size() != 1) {
        return std::to_string(made.findings.size()) + " findings";
    }
    const auto& interpreter = made.findings[0].interpreter;
    return interpreter.profile + " by " + std::string(to_string(interpreter.identified_by));
}

// `copier` is told, the file appears, another process runs it.
std::string copied(const std::string& exe, const std::vector<std::string>& argv) {
    auto log = begun();
    log.exec(as(exe), argv).create(as(exe), "/tmp/x", 700).fork(shell, 21).at(start + 100);
    return known(log.exec(as("/tmp/x", 21), {"/tmp/x", "-e", "print(1)"}));
}

} // namespace

TEST_CASE("a hard link to an interpreter is one") {
    auto log = begun();
    log.link(as("/usr/bin/ln"), "/usr/bin/luajit", "/tmp/x", 800).fork(shell, 21);
    CHECK(known(log.exec(as("/tmp/x", 21), {"/tmp/x", "-e", "print(1)"})) == "luajit by inode");
}

TEST_CASE("a file that ran under an interpreter's name is one under any other, for an hour") {
    const auto second_run = [](std::int64_t later) {
        auto log = begun();
        log.same_inode("/usr/bin/lua5.4", "/mnt/bind/x");
        log.exec(as("/usr/bin/lua5.4"), {"lua5.4", "-v"}).fork(shell, 21).at(start + later);
        return known(log.exec(as("/mnt/bind/x", 21), {"/mnt/bind/x", "-e", "print(1)"})); // the same inode
    };
    CHECK(second_run(1000) == "lua by inode");
    CHECK(second_run(2 * 3'600'000) == "0 findings");
}

TEST_CASE("a copy is known by what the copier was told") {
    CHECK(copied("/usr/bin/cp", {"cp", "/usr/bin/luajit", "/tmp/x"}) == "luajit by copy");
    CHECK(copied("/usr/bin/cp", {"cp", "lua5.4", "/tmp/x"}) == "lua by copy");
    CHECK(copied("/usr/bin/install", {"install", "-m755", "/usr/bin/lua5.3", "/tmp/x"}) == "lua by copy");
    CHECK(copied("/usr/bin/dd", {"dd", "if=/usr/bin/lua5.4", "of=/tmp/x"}) == "lua by copy");
    CHECK(copied("/usr/bin/curl", {"curl", "-so", "/tmp/x", "http://192.0.2.1/luajit"}) == "luajit by copy");
    CHECK(copied("/usr/bin/cp", {"cp", "/usr/bin/vim.nox", "/tmp/x"}) == "0 findings"); // an editor with Lua inside
    CHECK(copied("/usr/bin/cp", {"cp", "/usr/bin/id", "/tmp/x"}) == "0 findings");
}

TEST_CASE("what lies in a directory that was copied is no copy of an interpreter") {
    auto log = begun();
    log.exec(as("/usr/bin/cp"), {"cp", "-r", "src/lua", "/tmp/app"})
        .create(as("/usr/bin/cp"), "/tmp/app/bin/tool", 700);
    log.fork(shell, 21).at(start + 100).exec(as("/tmp/app/bin/tool", 21), {"tool", "-e", "x"});
    CHECK(known(log) == "0 findings");
    auto written = begun(); // another file under the copy's name
    written.exec(as("/usr/bin/cp"), {"cp", "/usr/bin/luajit", "/tmp/x"}).fork(shell, 21).at(start + 100'000);
    written.create(as("/usr/bin/ld", 22), "/tmp/x", 701).exec(as("/tmp/x", 21), {"/tmp/x", "-e", "print(1)"});
    CHECK(known(written) == "0 findings");
    auto built = begun();
    built.exec(as("/usr/bin/make"), {"make", "LUA=/usr/bin/lua5.4"}).create(as("/usr/bin/make"), "/tmp/x", 702);
    CHECK(known(built.fork(shell, 21).exec(as("/tmp/x", 21), {"/tmp/x", "-e", "x"})) == "0 findings");
}

TEST_CASE("where no rule watches the directory, the copier's own words tell of the copy") {
    auto log = begun();
    log.exec(as("/usr/bin/ln"), {"ln", "/usr/bin/luajit", "/usr/bin/x"}).fork(shell, 21).at(start + 100);
    const auto made = replay(log.exec(as("/usr/bin/x", 21), {"x", "-e", "print(1)"}).text);
    REQUIRE(made.briefs == std::vector<std::string>{"high inline: interpreter-drop/link | no-baseline"});
    CHECK(made.findings[0].chain[0].by->exe == "/usr/bin/ln");
}

TEST_CASE("a shell's redirection belongs to the copier that the process becomes") {
    auto log = begun();
    const Who child{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/bash"};
    log.create(child, "/tmp/x", 700)
        .exec(as("/usr/bin/cat"), {"cat", "/usr/bin/lua5.4"})
        .fork(shell, 21)
        .at(start + 100);
    CHECK(known(log.exec(as("/tmp/x", 21), {"/tmp/x", "-e", "print(1)"})) == "lua by copy");
}

TEST_CASE("a copy of a copy is one") {
    auto log = begun();
    log.exec(as("/usr/bin/cp"), {"cp", "/usr/bin/lua5.4", "/tmp/a"}).create(as("/usr/bin/cp"), "/tmp/a", 700);
    log.fork(shell, 21).exec(as("/usr/bin/cp", 21), {"cp", "/tmp/a", "/tmp/b"});
    log.create(as("/usr/bin/cp", 21), "/tmp/b", 701).fork(shell, 22).at(start + 100);
    const auto made = replay(log.exec(as("/tmp/b", 22), {"/tmp/b", "-e", "print(1)"}).text);
    REQUIRE(made.findings.size() == 1);
    CHECK(made.findings[0].interpreter.copy_of == "/usr/bin/lua5.4");
}

TEST_CASE("what calls itself an interpreter is taken for one, unless a package brought it as something else") {
    auto log = begun();
    log.exec(as("/opt/x/bin/tool"), {"lua", "-e", "print(1)"});
    CHECK(known(log) == "lua by argv0");
    CHECK(known(begun().exec(as("/opt/x/bin/tool"), {"nvim", "-l", "x.lua"})) == "0 findings");
    CHECK(known(begun().exec(as("/usr/bin/dash"), {"/bin/sh", "/usr/bin/lua"})) == "0 findings");

    detect::EngineOptions options;
    auto inventory = std::make_shared<inventory::Inventory>();
    inventory->packages = {{"tool", "1", "amd64", {}, false}};
    inventory->files["/opt/x/bin/tool"] = {0, inventory::FileKind::executable, inventory::DigestState::matches, false};
    options.inventory = inventory;
    CHECK(known(log, options) == "0 findings");
}

TEST_CASE("an interpreter that the inventory lists is one whatever its name") {
    detect::EngineOptions options;
    auto inventory = std::make_shared<inventory::Inventory>();
    inventory->interpreters.push_back(
        {.path = "/opt/app/runtime", .profile = "luajit", .version = {}, .sha256 = {}, .size = 1, .package = {}});
    options.inventory = inventory;
    CHECK(known(begun().exec(as("/opt/app/runtime"), {"runtime", "-e", "print(1)"}), options) == "luajit by package");
}

TEST_CASE("a script of another interpreter that runs Lua is found by its first argument") {
    CHECK(known(begun().exec(as("/usr/bin/perl"), {"/usr/bin/perl", "/usr/bin/resty", "-e", "print(1)"})) ==
          "resty by argv0");
    CHECK(known(begun().exec(as("/usr/bin/perl"), {"/usr/bin/perl", "/usr/bin/other", "-e", "print(1)"})) ==
          "0 findings");
}

TEST_CASE("an old shell script that a server executes by its name is its configuration's, a fresh one is not") {
    const Who server{.pid = 20, .ppid = 1, .uid = 105, .exe = "/usr/sbin/haproxy"};
    const Who check{.pid = 30, .ppid = 20, .uid = 105, .exe = "/usr/bin/dash"};
    const auto findings = [&](bool fresh, const std::string& item, const std::string& argv) {
        Log log;
        log.at(start).exec(server, {"haproxy", "-f", "/etc/haproxy/haproxy.cfg"});
        if (fresh) {
            log.create(server, "/srv/check.sh", 777);
        }
        log.fork(server, 30);
        log.file_call(check, "arch=c000003e syscall=59", "exit=0 a0=1 a1=2 a2=3 a3=4",
                      {{item, 777}, {"/bin/sh", 778}, {"/lib64/ld-linux-x86-64.so.2", 901}});
        log.more("EXECVE", argv);
        return replay(log.text).findings.size();
    };
    const std::string asked =
        "argc=6 a0=\"/bin/sh\" a1=\"/srv/check.sh\" a2=\"NOT_USED\" a3=\"NOT_USED\" a4=\"::1\" a5=\"80\"";
    CHECK(findings(false, "/srv/check.sh", asked) == 0);
    CHECK(findings(true, "/srv/check.sh", asked) == 1);
    CHECK(findings(false, "/bin/sh", "argc=3 a0=\"sh\" a1=\"-c\" a2=\"/srv/check.sh\"") == 1); // system(3)
}

TEST_CASE("a shell below a server that runs Lua inside tells of it, once") {
    const Who server{.pid = 20, .ppid = 1, .uid = 105, .exe = "/usr/bin/redis-check-rdb"};
    const Who below{.pid = 30, .ppid = 20, .uid = 105, .exe = "/usr/bin/dash"};
    Log log;
    log.at(start).exec(server, {"/usr/bin/redis-server", "127.0.0.1:6379"}).at(start + 900'000);
    log.fork(server, 30).exec(below, {"sh", "-c", "id"});
    const auto made = replay(log.text);
    REQUIRE(made.findings.size() == 1);
    const auto& finding = made.findings[0];
    CHECK(finding.process.pid == 20);
    CHECK(finding.interpreter.profile == "redis");
    CHECK(finding.code.origin == detect::Origin::embedded);
    REQUIRE(finding.chain.size() == 1);
    CHECK(finding.chain[0].kind == detect::ChainKind::child_shell);
    CHECK(finding.chain[0].by->argv == std::vector<std::string>{"sh", "-c", "id"});

    log.fork(server, 31).exec({.pid = 31, .ppid = 20, .uid = 105, .exe = "/usr/bin/dash"}, {"sh", "-c", "id"});
    CHECK(replay(log.text).findings.size() == 1);
    Log other;
    other.at(start).exec(server, {"/usr/bin/redis-server"}).fork(server, 30);
    other.exec({.pid = 30, .ppid = 20, .uid = 105, .exe = "/usr/bin/id"}, {"id"});
    CHECK(replay(other.text).findings.empty());
}

TEST_CASE("a program that loads the one which its arguments name runs that one's script") {
    const auto loaded = [](const std::string& exe, std::vector<std::string> argv) {
        const auto made = replay(begun().exec(as(exe), argv).text, {});
        if (made.findings.size() != 1) {
            return std::to_string(made.findings.size()) + " findings";
        }
        const auto& finding = made.findings[0];
        return finding.interpreter.profile + " by " + std::string(to_string(finding.interpreter.identified_by)) + ": " +
               finding.code.argument.value_or(finding.code.inline_text.value_or("?"));
    };
    const std::string glibc = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    CHECK(loaded(glibc, {"ld.so", "/usr/bin/lua5.4", "x"}) == "lua by loader: x");
    CHECK(loaded(glibc, {"ld.so", "--argv0", "kthread", "--preload", "/l.so", "/usr/bin/lua5.4", "x"}) ==
          "lua by loader: x");
    CHECK(loaded(glibc, {"ld.so", "--list", "/usr/bin/lua5.4"}) == "0 findings");
    CHECK(loaded(glibc, {"ld.so", "/usr/bin/id", "/usr/bin/lua5.4"}) == "0 findings");
    const std::string none = "/usr/libexec/valgrind/none-amd64-linux";
    CHECK(loaded(none, {"/usr/bin/valgrind.bin", "-q", "--tool=none", "/usr/bin/lua5.4", "x"}) == "lua by loader: x");
    CHECK(loaded(none, {"/usr/bin/valgrind.bin", "--tool=none", "--", "lua5.4", "-e", "y"}) == "lua by loader: y");
    CHECK(loaded(none, {"/usr/bin/valgrind.bin", "--tool=none", "/usr/bin/make", "lua"}) == "0 findings");
    const std::string qemu = "/usr/bin/qemu-aarch64-static";
    CHECK(loaded(qemu, {"qemu-aarch64-static", "-0", "kthread", "-L", "/sys", "/opt/lua", "x"}) == "lua by loader: x");
    CHECK(loaded(qemu, {"qemu-aarch64-static", "-L", "/usr/bin/lua5.4", "/usr/bin/id"}) == "0 findings");
    CHECK(loaded(qemu, {"/usr/libexec/qemu-binfmt/aarch64-binfmt-P", "/opt/bin/lua5.4", "lua", "x"}) ==
          "lua by loader: x");
    CHECK(loaded("/usr/bin/qemu-img", {"qemu-img", "lua", "x"}) == "0 findings");
    CHECK(loaded("/usr/bin/box64", {"box64", "/opt/luajit", "-e", "y"}) == "luajit by loader: y");
}

} // namespace identify_test
