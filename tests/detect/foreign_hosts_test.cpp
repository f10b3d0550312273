// Hosts and file systems that are not ours: names relative to descriptors, devices without a name of their own, kernels
// that do not say what an item is.
#include "support/catch.hpp"
#include "support/session.hpp"

namespace foreign_hosts_test {

using namespace test;

namespace {

const std::string openat = "arch=c000003e syscall=257", renameat2 = "arch=c000003e syscall=316";
const std::string by_descriptor = "exit=5 a0=3 a1=1 a2=c1 a3=1a4";

// `program` makes x.lua in a directory that it has open; the record names its working directory instead.
Log made_by(const Who& program, const std::vector<std::string>& argv, const std::string& name = "x.lua") {
    auto log = begun_twice();
    log.exec(program, argv, "/root");
    log.file_call(program, openat, by_descriptor, {{"/", 555, "PARENT", "040755"}, {name, 700, "CREATE", "0100644"}});
    return log;
}

Briefs run(Log log, const std::string& script) {
    return briefs(log.at(start + 100).exec(as("/usr/bin/lua5.4", 21), {"lua5.4", script}));
}

const Briefs guessed{"high script: script-drop/create | no-baseline path-uncertain"};
const Briefs none{"info script: | no-baseline"};

} // namespace

TEST_CASE("what cp, mv, install and tar put into a directory is found there by what they were told") {
    const Who copy = as("/usr/bin/cp");
    CHECK(run(made_by(copy, {"cp", "/home/u/x.lua", "/opt/app/"}), "/opt/app/x.lua") == guessed);
    CHECK(run(made_by(copy, {"cp", "-t", "/opt/app", "/home/u/x.lua"}), "/opt/app/x.lua") == guessed);
    CHECK(run(made_by(copy, {"cp", "--target-directory=/opt/app", "/home/u/x.lua"}), "/opt/app/x.lua") == guessed);
    CHECK(run(made_by(as("/usr/bin/tar"), {"tar", "-x", "-C", "/opt/app", "-f", "a.tar"}, "lib/x.lua"),
              "/opt/app/lib/x.lua") == Briefs{"high script: script-drop/unpack | no-baseline path-uncertain"});
    CHECK(run(made_by(copy, {"cp", "/home/u/x.lua", "app"}), "/app/x.lua") == guessed); // its records say cwd="/"

    // Its own record names it in the working directory, where an old file of that name lies.
    CHECK(run(made_by(copy, {"cp", "/home/u/x.lua", "/opt/app/"}), "/opt/other/y.lua") == none);
}

TEST_CASE("where only the title of the process is known, it says where mv puts a file") {
    auto log = begun_twice();
    const Who mover = as("/usr/bin/mv");
    log.create(shell, "/tmp/stage/x.lua", 700);
    log.file_call(mover, renameat2, "exit=0 a0=ffffff9c a1=1 a2=3 a3=2",
                  {{"/tmp/stage/", 78, "PARENT", "041777"},
                   {"/", 555, "PARENT", "040755"},
                   {"/tmp/stage/x.lua", 700, "DELETE", "0100644"},
                   {"x.lua", 700, "CREATE", "0100644"}});
    log.more("PROCTITLE", "proctitle=6D76002F746D702F73746167652F782E6C7561002F6F70742F6170702F");
    CHECK(run(log, "/opt/app/x.lua") ==
          Briefs{"high script: script-drop/create script-drop/rename | no-baseline path-uncertain"});
}

TEST_CASE("a file that was made nobody knows where may be the one of that name that runs") {
    const auto made = made_by(as("/usr/bin/unpack"), {"unpack", "a.zip"});
    CHECK(run(made, "/srv/any/x.lua") == guessed);
    CHECK(run(made, "/srv/any/y.lua") == none);
    auto elsewhere = made; // that directory is known, and another one
    elsewhere.file_call(shell, openat, "exit=5 a0=ffffff9c a1=1 a2=241 a3=1b6",
                        {{"/srv/any/", 556, "PARENT", "040755"}, {"/srv/any/other", 701, "CREATE", "0100644"}});
    CHECK(run(elsewhere, "/srv/any/x.lua") == none);
}

TEST_CASE("an inode number on a device without a name of its own is believed where the names agree") {
    const auto ran = [](const std::string& dropped, const char* dev, const std::string& script) {
        auto log = begun_twice();
        log.file_call(shell, openat, "exit=3 a0=ffffff9c a1=1 a2=241 a3=1b6",
                      {{dropped.substr(0, dropped.rfind('/') + 1), 257, "PARENT", "040755", dev},
                       {dropped, 261, "CREATE", "0100644", dev}});
        const auto lua = as("/usr/bin/lua5.4", 21);
        log.at(start + 100)
            .file_call(lua, "arch=c000003e syscall=59", "a0=1 a1=2 a2=3 a3=4",
                       {{script, 261, "NORMAL", "0100755", dev}, {"/usr/bin/lua5.4", 300, "NORMAL", "0100755", dev}});
        log.more("EXECVE", "argc=2 a0=\"/usr/bin/lua5.4\" a1=\"" + script + "\"");
        return briefs(log);
    };
    const Briefs found{"high script: script-drop/create | no-baseline"};
    CHECK(ran("/home/u/notes.txt", "00:1f", "/opt/app/old.lua") ==
          Briefs{"info script: | no-baseline identity-uncertain"});
    CHECK(ran("/home/u/x.lua", "00:1f", "/home/u/x.lua") == found);
    CHECK(ran("/home/u/notes.txt", "fe:01", "/opt/app/old.lua") == found); // a link or a mount that nobody saw
    CHECK(ran("/dev/shm/a", "00:1a", "/run/shm/a").front().starts_with("critical"));
    CHECK(ran("/tmp/x.lua", "00:1f", "/proc/self/root/tmp/x.lua") == found);
}

TEST_CASE("a program with an interpreter's inode number in another subvolume is none") {
    const auto second = [](const char* dev) {
        auto log = begun_twice();
        for (const auto& [who, path] : {std::pair{as("/usr/bin/lua5.4"), "/usr/bin/lua5.4"},
                                        std::pair{as("/srv/snap/usr/bin/wc", 21), "/srv/snap/usr/bin/wc"}}) {
            log.file_call(who, "arch=c000003e syscall=59", "a0=1 a1=2 a2=3 a3=4",
                          {{path, 300, "NORMAL", "0100755", dev}, {"/lib64/ld-linux-x86-64.so.2", 301}});
            log.more("EXECVE", "argc=2 a0=\"prog\" a1=\"/etc/hosts\"");
        }
        return briefs(log).size();
    };
    CHECK(second("00:1f") == 1);
    CHECK(second("fe:01") == 2);
}

TEST_CASE("kernels that do not say what an item is still show what was made, overwritten and renamed") {
    const auto untyped = [](const std::string& head, const std::string& arguments,
                            const std::vector<std::pair<std::string, int>>& items) {
        auto log = begun_twice();
        log.call(shell, head, "success=yes exit=3 " + arguments + " items=" + std::to_string(items.size()));
        log.more("CWD", "cwd=\"/tmp\"");
        for (std::size_t at = 0; at < items.size(); ++at) {
            log.more("PATH", "item=" + std::to_string(at) + " name=\"" + items[at].first + "\" inode=" +
                                 std::to_string(items[at].second) + " dev=fd:00 mode=0100644 ouid=0 ogid=0 rdev=00:00");
        }
        return run(log, "/tmp/x.lua");
    };
    const std::string open = "arch=c000003e syscall=2", rename = "arch=c000003e syscall=82";
    CHECK(untyped(open, "a0=7ffe a1=241 a2=1b6 a3=0", {{"/tmp/", 1}, {"/tmp/x.lua", 2621}}) ==
          Briefs{"high script: script-drop/create | no-baseline"});
    CHECK(untyped(open, "a0=7ffe a1=201 a2=0 a3=0", {{"/tmp/x.lua", 2621}}) ==
          Briefs{"high script: script-drop/write | no-baseline"});
    CHECK(
        untyped(rename, "a0=1 a1=2 a2=0 a3=0", {{"/tmp/", 1}, {"/tmp/", 1}, {"/tmp/a", 2621}, {"/tmp/x.lua", 2621}}) ==
        Briefs{"high script: script-drop/rename | no-baseline"});
    CHECK(untyped(open, "a0=7ffe a1=0 a2=0 a3=0", {{"/tmp/x.lua", 2621}}) == none);
}

} // namespace foreign_hosts_test
