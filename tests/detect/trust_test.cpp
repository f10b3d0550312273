// Who may be believed to be a package manager: the file, not the path that a mount namespace gave it.
#include "support/catch.hpp"
#include "support/log.hpp"

namespace trust_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;

namespace {

const Who shell{.pid = 10, .ppid = 1, .uid = 0, .exe = "/usr/bin/dash"};
const Who dpkg{.pid = 15, .ppid = 10, .uid = 0, .exe = "/usr/bin/dpkg"};
const Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"};

// The manager's path, which is that file, writes a script, which is run.
Log& manages(Log& log, std::uint64_t inode, const char* dev = "fe:00", const Who& manager = dpkg) {
    log.file_call(manager, "arch=c000003e syscall=59", "exit=0 a0=1 a1=2 a2=3 a3=4",
                  {{.name = manager.exe, .inode = inode, .dev = dev}, {"/lib64/ld-linux-x86-64.so.2", 801}});
    log.more("EXECVE", "argc=3 a0=\"dpkg\" a1=\"-i\" a2=\"x.deb\"");
    return log;
}

std::size_t drops(Log log, const Who& writer = dpkg) {
    log.create(writer, "/srv/x.lua", 900).exec(lua, {"lua5.4", "/srv/x.lua"});
    const auto made = replay(log.text);
    REQUIRE(made.findings.size() == 1);
    return made.findings[0].chain.size();
}

Log with_shell() {
    Log log;
    log.exec(shell, {"sh"});
    return log;
}

constexpr std::uint64_t own_inode = 600;

} // namespace

TEST_CASE("a package manager that always was that file is believed") {
    auto log = with_shell();
    manages(manages(log, own_inode), own_inode);
    CHECK(drops(log) == 0);
}

TEST_CASE("a program that ran under another name is no package manager, nor what it forks") {
    auto log = with_shell();
    log.same_inode("/usr/bin/dash", "/usr/bin/dpkg"); // a bind mount
    log.exec(dpkg, {"/usr/bin/dpkg", "-c", "echo 1 >/srv/x.lua"});
    CHECK(drops(log) == 1);
    const Who forked{.pid = 16, .ppid = 15, .uid = 0, .exe = "/usr/bin/dpkg"};
    log.fork(dpkg, 16);
    CHECK(drops(log, forked) == 1);
    // Nor may it read an interpreter unseen, and leave a copy behind.
    const Who copy{.pid = 17, .ppid = 10, .uid = 33, .exe = "/srv/updater"};
    log.read(dpkg, "/usr/bin/luajit", 950).create(dpkg, "/srv/updater", 951).exec(copy, {"updater", "-e", "x=1"});
    CHECK(replay(log.text).findings.size() == 1);
}

TEST_CASE("another file than before is none, unless the log shows what replaced that one") {
    auto log = with_shell();
    manages(manages(log, own_inode), own_inode + 1);
    CHECK(drops(log) == 1);
    auto other_device = with_shell();
    manages(manages(other_device, own_inode), own_inode, "00:26");
    CHECK(drops(other_device) == 1);

    auto upgraded = with_shell();
    manages(upgraded, own_inode);
    upgraded.file_call(dpkg, "arch=c000003e syscall=82", "exit=0 a0=1 a1=2 a2=0 a3=0",
                       {{"/usr/bin/", 500, "PARENT"},
                        {"/usr/bin/", 500, "PARENT"},
                        {"/usr/bin/dpkg.dpkg-new", own_inode + 1, "DELETE"},
                        {"/usr/bin/dpkg", own_inode, "DELETE"},
                        {"/usr/bin/dpkg", own_inode + 1, "CREATE"}});
    upgraded.at(upgraded.now_ms + 2'000'000); // the ledger has forgotten it
    manages(upgraded, own_inode + 1);
    CHECK(drops(upgraded) == 0);
}

TEST_CASE("what somebody made is none, under whatever name") {
    auto log = with_shell();
    log.create(shell, "/tmp/x", 777);
    manages(log, 777);
    CHECK(drops(log) == 1);
}

TEST_CASE("a container has a package manager of its own") {
    const Who shim{.pid = 40, .ppid = 1, .exe = "/usr/bin/containerd-shim-runc-v2"};
    const Who inside{.pid = 41, .ppid = 40, .uid = 0, .exe = "/usr/bin/dpkg"};
    auto log = with_shell();
    manages(log, own_inode);
    log.exec(shim, {"containerd-shim-runc-v2"}).fork(shim, 41);
    manages(log, 5, "00:30", inside);
    CHECK(drops(log, inside) == 0);
}

TEST_CASE("when impostors push one another out, nobody is believed") {
    auto log = with_shell();
    for (std::uint32_t at = 0; at < 300; ++at) {
        const Who manager{.pid = 1000 + at, .ppid = 10, .uid = 0, .exe = "/usr/bin/dpkg"};
        log.create(shell, "/tmp/x" + std::to_string(at), 7000 + at);
        manages(log, 7000 + at, "fe:00", manager);
    }
    const Who first{.pid = 1000, .ppid = 10, .uid = 0, .exe = "/usr/bin/dpkg"};
    CHECK(drops(log, first) == 1);
}

} // namespace trust_test
