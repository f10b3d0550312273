// Trees that came to a place at once: renamed directories and mounts.
#include "support/catch.hpp"
#include "support/session.hpp"

namespace places_test {

using namespace luatrail;
using test::as;
using test::begun_twice;
using test::Briefs;
using test::briefs;
using test::Log;
using test::replay;
using test::shell;
using test::start;
using test::Who;

namespace {

constexpr auto directory = "040755";
constexpr auto mount_call = "arch=c000003e syscall=165";
constexpr auto move_mount_call = "arch=c000003e syscall=429";

Briefs mounted(const std::string& head, const std::string& arguments, const std::vector<Log::Item>& items,
               const std::string& script, const Who& mounter = as("/usr/bin/mount", 21)) {
    auto log = begun_twice();
    log.exec(mounter, {"mount"}).file_call(mounter, head, arguments, items).at(start + 100);
    return briefs(log.exec(as("/usr/bin/lua5.4"), {"lua5.4", script}));
}

const Briefs found{"high script: script-drop/mount | no-baseline"};
const Briefs nothing{"info script: | no-baseline"};

} // namespace

TEST_CASE("a directory that was moved into place brings every file in it") {
    auto log = begun_twice();
    log.file_call(shell, "arch=c000003e syscall=82", "a0=1 a1=2 a2=0 a3=0",
                  {{"/opt/", 2, "PARENT", "040755"},
                   {"/opt/", 2, "PARENT", "040755"},
                   {"/opt/stage", 600, "DELETE", "040755"},
                   {"/opt/app", 600, "CREATE", "040755"}});
    log.at(start + 100).exec(as("/usr/bin/lua5.4"), {"lua5.4", "/opt/app/lib/job.lua"});
    CHECK(briefs(log) == Briefs{"high script: script-drop/rename | no-baseline"});
    auto other = begun_twice();
    other.file_call(shell, "arch=c000003e syscall=82", "a0=1 a1=2 a2=0 a3=0",
                    {{"/opt/", 2, "PARENT", "040755"},
                     {"/opt/", 2, "PARENT", "040755"},
                     {"/opt/stage", 600, "DELETE", "040755"},
                     {"/opt/app", 600, "CREATE", "040755"}});
    CHECK(briefs(other.exec(as("/usr/bin/lua5.4"), {"lua5.4", "/opt/app2/job.lua"})) ==
          Briefs{"info script: | no-baseline"});
}

TEST_CASE("what lies below a new mount is new") {
    const std::vector<Log::Item> target{{"/srv/app", 600, "NORMAL", directory}};
    CHECK(mounted(mount_call, "a0=1 a1=2 a2=3 a3=0", target, "/srv/app/job.lua") == found);
    CHECK(mounted(mount_call, "a0=1 a1=2 a2=3 a3=0", target, "/srv/app") == found); // a file over a file
    CHECK(mounted(mount_call, "a0=1 a1=2 a2=3 a3=0", target, "/srv/app2/job.lua") == nothing);
    const std::vector<Log::Item> bind{{"/srv/app", 600, "NORMAL", directory}, {"/tmp/x", 601, "NORMAL", directory}};
    CHECK(mounted(mount_call, "a0=1 a1=2 a2=0 a3=1000", bind, "/srv/app/job.lua") == found);
    CHECK(mounted(mount_call, "a0=1 a1=2 a2=0 a3=1000", bind, "/tmp/x/job.lua") == nothing);
    const std::vector<Log::Item> moved{{"/tmp/x", 601, "NORMAL", directory}, {"/srv/app", 600, "NORMAL", directory}};
    CHECK(mounted(move_mount_call, "a0=ffffff9c a1=2 a2=ffffff9c a3=1", moved, "/srv/app/job.lua") == found);
    CHECK(mounted(move_mount_call, "a0=ffffff9c a1=2 a2=ffffff9c a3=1", moved, "/tmp/x/job.lua") == nothing);
}

TEST_CASE("other flags of an old mount, and one over everything, bring nothing") {
    const std::vector<Log::Item> target{{"/srv/app", 600, "NORMAL", directory}};
    for (const auto* flags : {"20", "1020", "40000", "44000", "80000", "100000", "20000", "c0ed0020", "c0ed1020"}) {
        CHECK(mounted(mount_call, fmt::format("a0=1 a1=2 a2=0 a3={}", flags), target, "/srv/app/job.lua") == nothing);
    }
    CHECK(mounted(mount_call, "a0=1 a1=2 a2=3 a3=0", {{"/", 2, "NORMAL", directory}}, "/srv/app/job.lua") == nothing);
    CHECK(mounted("arch=c000003e syscall=430", "a0=1 a1=0 a2=0 a3=0", {}, "/srv/app/job.lua") == nothing); // fsopen
}

TEST_CASE("a bind that also says how it propagates is a bind, with the old magic number as well") {
    const std::vector<Log::Item> bind{{"/srv/app", 600, "NORMAL", directory}, {"/tmp/x", 601, "NORMAL", directory}};
    for (const auto* flags : {"1000", "41000", "5000", "c0ed1000", "c0ed0000", "c0ed5000"}) {
        INFO(flags);
        CHECK(mounted(mount_call, fmt::format("a0=1 a1=2 a2=0 a3={}", flags), bind, "/srv/app/job.lua") == found);
    }
    const std::vector<Log::Item> itself{{"/srv/app", 600, "NORMAL", directory}, {"/srv/app", 600, "NORMAL", directory}};
    CHECK(mounted(mount_call, "a0=1 a1=2 a2=0 a3=1000", itself, "/srv/app/job.lua") == nothing);
}

TEST_CASE("what was unmounted again brings nothing, unless it is only taken out of the tree") {
    const auto after = [](const std::string& flags) {
        auto log = begun_twice();
        const Who mounter = as("/usr/bin/mount", 21);
        const std::vector<Log::Item> target{{"/srv/app", 600, "NORMAL", directory}};
        log.exec(mounter, {"mount"}).file_call(mounter, mount_call, "a0=1 a1=2 a2=3 a3=0", target);
        log.file_call(mounter, "arch=c000003e syscall=166", "a0=1 a1=" + flags + " a2=0 a3=0", target);
        return briefs(log.at(start + 100).exec(as("/usr/bin/lua5.4"), {"lua5.4", "/srv/app/job.lua"}));
    };
    CHECK(after("0") == nothing);
    CHECK(after("2") == found);
}

TEST_CASE("what an old script loads from below a mount, or from a directory that was moved there, is new") {
    const auto lua = as("/usr/bin/lua5.4");
    const auto loaded = [&](const std::string& head, const std::vector<Log::Item>& items) {
        auto log = begun_twice();
        const Who mounter = as("/usr/bin/mount", 21);
        log.exec(mounter, {"mount"}).file_call(mounter, head, "a0=1 a1=2 a2=3 a3=0", items).at(start + 100);
        return briefs(log.exec(lua, {"lua5.4", "/srv/old.lua"}).read(lua, "/opt/lua/m.lua", 800)).back();
    };
    CHECK(loaded(mount_call, {{"/opt/lua", 600, "NORMAL", directory}}) ==
          "high script: module-drop/mount | no-baseline");
    CHECK(loaded("arch=c000003e syscall=82", {{"/opt/", 2, "PARENT", directory},
                                              {"/opt/", 2, "PARENT", directory},
                                              {"/opt/new", 600, "DELETE", directory},
                                              {"/opt/lua", 600, "CREATE", directory}}) ==
          "high script: module-drop/rename | no-baseline");
    auto editor = begun_twice();
    const Who mounter = as("/usr/bin/mount", 21);
    const Who nvim{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/nvim", .tty = "pts0"};
    editor.exec(mounter, {"mount"});
    editor.file_call(mounter, mount_call, "a0=1 a1=2 a2=3 a3=0", {{"/home/u/.config", 600, "NORMAL", directory}});
    editor.exec(nvim, {"nvim"}).read(nvim, "/home/u/.config/nvim/init.lua", 800);
    CHECK(briefs(editor) == Briefs{"high embedded: script-drop/mount | no-baseline"});
}

TEST_CASE("who mounts without being root is in a namespace of its own") {
    const std::vector<Log::Item> target{{"/srv/app", 600, "NORMAL", directory}};
    auto log = begun_twice();
    const Who login{.pid = 40, .ppid = 1, .uid = 1000, .exe = "/usr/bin/bash"};
    const Who mounter{.pid = 41, .ppid = 40, .uid = 1000, .exe = "/usr/bin/mount"};
    const Who below{.pid = 42, .ppid = 40, .uid = 1000, .exe = "/usr/bin/lua5.4"};
    log.exec(login, {"bash"}).fork(login, 41).fork(login, 42).exec(mounter, {"mount"});
    log.file_call(mounter, mount_call, "a0=1 a1=2 a2=3 a3=0", target).at(start + 100);
    CHECK(briefs(log.exec(as("/usr/bin/lua5.4"), {"lua5.4", "/srv/app/job.lua"})) == nothing);
    CHECK(briefs(log.exec(below, {"lua5.4", "/srv/app/job.lua"})).back() == found.front());
}

TEST_CASE("a place to which something comes again and again is one, and the findings stay short") {
    auto log = begun_twice();
    const Who mounter = as("/usr/bin/mount", 21);
    log.exec(mounter, {"mount"});
    for (int i = 0; i < 300; ++i) {
        log.file_call(mounter, mount_call, "a0=1 a1=2 a2=3 a3=0", {{"/srv/app", 600, "NORMAL", directory}});
    }
    CHECK(briefs(log.exec(as("/usr/bin/lua5.4"), {"lua5.4", "/srv/app/job.lua"})) == found);
    std::string deep = "/srv";
    auto nested = begun_twice();
    nested.exec(mounter, {"mount"});
    for (int i = 0; i < 20; ++i) {
        deep += "/d";
        nested.file_call(mounter, mount_call, "a0=1 a1=2 a2=3 a3=0", {{deep, 600, "NORMAL", directory}});
    }
    const auto made = replay(nested.exec(as("/usr/bin/lua5.4"), {"lua5.4", deep + "/job.lua"}).text);
    CHECK(made.findings.front().chain.size() == 4);
}

TEST_CASE("what the system mounts is no drop, unless somebody brought that system") {
    const std::vector<Log::Item> target{{"/srv/app", 600, "NORMAL", directory}};
    const auto by = [&](const Who& mounter) {
        return mounted(mount_call, "a0=1 a1=2 a2=3 a3=0", target, "/srv/app/job.lua", mounter);
    };
    CHECK(by({.pid = 50, .ppid = 1, .exe = "/usr/lib/systemd/systemd"}) == nothing);
    CHECK(by({.pid = 50, .ppid = 1, .exe = "/usr/bin/mount"}) == nothing); // of a mount unit
    CHECK(by({.pid = 50, .ppid = 40, .exe = "/usr/bin/runc"}) == nothing);
    CHECK(by({.pid = 50, .ppid = 40, .exe = "/usr/sbin/sshd"}) == nothing); // pam_namespace
    auto helpers = begun_twice();                                           // an automounted home
    const Who automount{.pid = 50, .ppid = 1, .exe = "/usr/sbin/automount"};
    const Who mount{.pid = 51, .ppid = 50, .exe = "/usr/bin/mount"};
    const Who nfs{.pid = 52, .ppid = 51, .exe = "/usr/sbin/mount.nfs"};
    helpers.exec(automount, {"automount"}).fork(automount, 51).exec(mount, {"mount"}).fork(mount, 52).exec(nfs, {"x"});
    helpers.file_call(nfs, mount_call, "a0=1 a1=2 a2=3 a3=0", target).at(start + 100);
    CHECK(briefs(helpers.exec(as("/usr/bin/lua5.4"), {"lua5.4", "/srv/app/job.lua"})) == nothing);
    auto own = begun_twice();
    const Who fake{.pid = 21, .ppid = 10, .exe = "/tmp/runc"};
    own.create(shell, "/tmp/runc", 700).exec(fake, {"runc"}).file_call(fake, mount_call, "a0=1 a1=2 a2=3 a3=0", target);
    CHECK(briefs(own.at(start + 100).exec(as("/usr/bin/lua5.4"), {"lua5.4", "/srv/app/job.lua"})) == found);
}

TEST_CASE("an interpreter below a new mount was brought with it") {
    auto log = begun_twice();
    const Who mounter = as("/usr/bin/mount", 21);
    log.exec(mounter, {"mount"});
    log.file_call(mounter, mount_call, "a0=1 a1=2 a2=3 a3=0", {{"/mnt", 600, "NORMAL", directory}}).at(start + 100);
    CHECK(briefs(log.exec(as("/mnt/bin/lua5.4"), {"lua5.4", "/srv/old.lua"})) ==
          Briefs{"high script: interpreter-drop/mount | no-baseline"});
}

TEST_CASE("the container's runtime mounts for the container alone, whose paths are other ones") {
    auto log = begun_twice();
    const Who runc{.pid = 21, .ppid = 10, .exe = "/usr/bin/runc"};
    const Who inside{.pid = 30, .ppid = 21, .exe = "/usr/bin/busybox"};
    const Who lua{.pid = 31, .ppid = 30, .exe = "/usr/bin/lua5.4"};
    const std::vector<Log::Item> target{{"/srv/app", 600, "NORMAL", directory}};
    const Who mounter = as("/usr/bin/mount");
    log.exec(mounter, {"mount"}).file_call(mounter, mount_call, "a0=1 a1=2 a2=3 a3=0", target); // the host's /srv/app
    log.exec(runc, {"runc"}).fork(runc, 30).exec(inside, {"sh"}).fork(inside, 31).at(start + 100);
    CHECK(briefs(log.exec(lua, {"lua5.4", "/srv/app/job.lua"})) == nothing);
}

TEST_CASE("a file that an operation of io_uring made is followed by its inode") {
    auto log = begun_twice();
    const Who maker = as("/srv/maker", 21);
    log.exec(maker, {"maker"});
    log.ring(maker, 18, {{"(null)", 2, "PARENT", "041777"}, {"(null)", 700, "CREATE", "0100644"}}).at(start + 100);
    log.exec(as("/usr/bin/lua5.4"), {"lua5.4", "/tmp/e.lua"}).read(as("/usr/bin/lua5.4"), "/tmp/e.lua", 700);
    const auto made = replay(log.text);
    REQUIRE(made.briefs == Briefs{"info script: | no-baseline", "high script: script-drop/create | no-baseline"});
    const auto& drop = made.findings.back().chain.front();
    CHECK(drop.path == "/tmp/e.lua");
    CHECK(drop.by->exe == "/srv/maker");
    CHECK(drop.by->pid == 21);
}

TEST_CASE("a rename through io_uring is one, and a reading is no change") {
    const auto done = [](int operation, const std::vector<Log::Item>& items) {
        auto log = begun_twice();
        const Who maker = as("/srv/maker", 21);
        log.exec(maker, {"maker"}).ring(maker, operation, items).at(start + 100);
        log.exec(as("/usr/bin/lua5.4"), {"lua5.4", "/tmp/e.lua"}).read(as("/usr/bin/lua5.4"), "/tmp/e.lua", 700);
        return briefs(log);
    };
    const Log::Item parent{"(null)", 2, "PARENT", "041777"};
    CHECK(done(35, {parent, parent, {"(null)", 700, "DELETE"}, {"(null)", 700, "CREATE"}}).back() ==
          "high script: script-drop/rename | no-baseline");
    CHECK(done(18, {{"(null)", 700, "NORMAL"}}) == nothing);
    CHECK(done(0, {{"(null)", 700, "CREATE"}}) == nothing); // IORING_OP_NOP
}

} // namespace places_test
