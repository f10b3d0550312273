// Lineage: which process is whose, whatever order the records come in.
#include "host/process_log.hpp"
#include "support/catch.hpp"

namespace process_table_test {

using namespace process_log;

TEST_CASE("lineage follows forks and execs") {
    // bash(10) -fork-> 20 -exec-> sh(20) -fork-> 30 -exec-> lua(30)
    Log log;
    log.fork(10, 1, "/bin/bash", 20);
    log.exec(20, 10, "/bin/sh");
    log.fork(20, 10, "/bin/sh", 30);
    const ProcessRef lua = log.exec(30, 20, "/bin/lua");

    CHECK(log.line(lua) == "30:/bin/lua 20:/bin/sh 10:/bin/bash");
    CHECK(log.table.find(lua)->born == Born::exec);
    CHECK(log.table.find(lua)->argv == std::vector<std::string>{"/bin/lua"});
    CHECK(log.table.ancestors(lua, 1).size() == 1);
    CHECK(log.table.is_ancestor(log.table.current(10), lua));
    CHECK_FALSE(log.table.is_ancestor(lua, log.table.current(10)));
    CHECK_FALSE(log.table.is_ancestor(lua, lua));
    CHECK(log.table.same_tree(lua, lua));
}

TEST_CASE("a shell script's pipeline is told whole") {
    // bash(71432) - dash(71505) -+- 71506 (a subshell) -+- echo(71508)
    //                            `- grep(71507)         `- sed(71509)
    Log log;
    const char *dash = "/usr/bin/dash", *bash = "/usr/bin/bash";
    log.fork(71432, 3505, bash, 71505);
    log.exec(71505, 71432, dash);
    log.fork(71505, 71432, dash, 71506);
    log.fork(71505, 71432, dash, 71507);
    log.fork(71506, 71505, dash, 71508);
    log.exec(71507, 71505, "/usr/bin/grep");
    log.fork(71506, 71505, dash, 71509);
    log.exec(71508, 71506, "/usr/bin/echo");
    log.exec(71509, 71506, "/usr/bin/sed");

    CHECK(log.line(71507) == "71507:/usr/bin/grep 71505:/usr/bin/dash 71432:/usr/bin/bash");
    CHECK(log.line(71508) == "71508:/usr/bin/echo 71506:/usr/bin/dash 71505:/usr/bin/dash 71432:/usr/bin/bash");
    CHECK(log.line(71509) == "71509:/usr/bin/sed 71506:/usr/bin/dash 71505:/usr/bin/dash 71432:/usr/bin/bash");
    CHECK(log.table.same_tree(log.table.current(71509), log.table.current(71507)));
}

TEST_CASE("without fork records the ppid tells the parent, if it is older") {
    Log log;
    log.exec(10, 1, "/bin/apt");
    const ProcessRef child = log.exec(20, 10, "/bin/dpkg");
    const ProcessRef orphan = log.exec(30, 40, "/bin/early");
    log.see(40, 1, "/bin/late");

    CHECK(log.line(child) == "20:/bin/dpkg 10:/bin/apt");
    CHECK(log.line(orphan) == "30:/bin/early");
}

TEST_CASE("a reused pid is not taken for its former process") {
    // rm(2655, of 2643) ends unseen; csh(2542) -fork-> 2655 -fork-> 2656 -exec-> id
    Log log;
    const ProcessRef rm = log.exec(2655, 2643, "/usr/bin/rm");
    log.exec(2542, 2532, "/bin/tcsh");
    log.fork(2542, 2532, "/bin/tcsh", 2655);
    log.fork(2655, 2542, "/bin/tcsh", 2656);
    const ProcessRef id = log.exec(2656, 2655, "/usr/bin/id");

    CHECK(log.line(id) == "2656:/usr/bin/id 2655:/bin/tcsh 2542:/bin/tcsh");
    CHECK(log.table.find(rm)->exited);
    CHECK_FALSE(log.table.same_tree(rm, id));
}

TEST_CASE("an exec with another parent is another process, though no exit was logged") {
    Log log;
    log.exec(10, 1, "/bin/a");
    log.exec(20, 1, "/bin/b");
    const ProcessRef former = log.exec(30, 10, "/bin/x");
    const ProcessRef later = log.exec(30, 20, "/bin/y");
    CHECK(log.line(later) == "30:/bin/y 20:/bin/b");
    CHECK(log.table.find(former)->exited);

    const ProcessRef sighted = log.see(30, 10, "/bin/z");
    CHECK(log.line(sighted) == "30:/bin/z 10:/bin/a");
}

TEST_CASE("an orphan keeps the parent that forked it") {
    // p(10) -fork-> 20, p exits; 20 is adopted by `adopter` and execs
    const std::uint32_t adopter = GENERATE(1U, 900U, 5U);
    Log log;
    log.exec(5, 1, "/lib/systemd"); // a subreaper that is an ancestor; 900 is one that the log doesn't know
    log.exec(10, 5, "/bin/p");
    log.fork(10, 5, "/bin/p", 20);
    log.exit(10, 5, "/bin/p");
    const ProcessRef daemon = log.exec(20, adopter, "/bin/true");

    CHECK(log.line(daemon) == "20:/bin/true 10:/bin/p 5:/lib/systemd");
    CHECK(log.table.find(daemon)->ppid == adopter);
}

TEST_CASE("a double fork's grandchild is of the tree that made it") {
    Log log;
    log.fork(10, 1, "/bin/sh", 20);
    log.fork(20, 10, "/bin/sh", 30);
    log.exit(20, 10, "/bin/sh");
    const ProcessRef daemon = log.exec(30, 1, "/bin/d");
    CHECK(log.line(daemon) == "30:/bin/d 20:/bin/sh 10:/bin/sh");
}

TEST_CASE("a service that got a session process's pid is not its successor") {
    Log log;
    log.exec(10, 1, "/bin/bash");
    log.exec(20, 10, "/bin/vim");
    log.session = 0xffffffff;
    CHECK(log.line(log.exec(20, 1, "/usr/sbin/cron")) == "20:/usr/sbin/cron");
}

TEST_CASE("a fork that is logged after its child's exec links the child") {
    Log log;
    log.exec(10, 1, "/bin/p");
    const TypedEvent fork = log.at(10, 1, "/bin/p");
    SECTION("an older event that came late") {}
    SECTION("a vfork: its time is older, its serial higher") {
        log.ms = fork.id.time_ms - 1, log.serial = 50;
    }
    const ProcessRef child = log.exec(log.at(20, 77, "/bin/c"), {"c"});
    REQUIRE(log.line(child) == "20:/bin/c");

    CHECK(log.table.forked(fork, 20) == child);
    CHECK(log.line(child) == "20:/bin/c 10:/bin/p");
    CHECK(log.table.current(20) == child);
    CHECK(log.table.size() == 2);
}

TEST_CASE("a late fork links all images of the child, and to the parent's image of that time") {
    Log log;
    log.exec(10, 1, "/bin/p");
    const TypedEvent fork = log.at(10, 1, "/bin/p");
    log.exec(10, 1, "/bin/p2");
    const ProcessRef first = log.exec(20, 7, "/usr/bin/env");
    const ProcessRef second = log.exec(20, 7, "/bin/lua");
    log.table.forked(fork, 20);
    CHECK(log.line(second) == "20:/bin/lua 20:/usr/bin/env 10:/bin/p");
    CHECK(log.line(first) == "20:/usr/bin/env 10:/bin/p");
}

TEST_CASE("a child that was sighted before its fork was logged is its parent's copy, and no ancestor of its own") {
    Log log;
    log.exec(10, 1, "/bin/python");
    auto fork = log.at(10, 1, "/bin/python"); // a vfork's record is written when the child has gone on
    log.see(20, 10, "/bin/python");
    log.table.forked(fork, 20);
    log.exec(20, 10, "/bin/lua");
    CHECK(log.line(20) == "20:/bin/lua 10:/bin/python");
}

TEST_CASE("the same records twice change nothing") {
    Log log;
    const TypedEvent fork = log.at(10, 1, "/bin/sh");
    const ProcessRef child = log.table.forked(fork, 20);
    CHECK(log.table.forked(fork, 20) == child);
    const TypedEvent exec = log.at(20, 10, "/bin/lua");
    const ProcessRef lua = log.exec(exec, {"lua"});
    CHECK(log.exec(exec, {"lua"}) == lua);
    CHECK(log.table.size() == 3);
}

TEST_CASE("an exec that was sighted first is one image") {
    Log log;
    const TypedEvent s = log.at(20, 10, "/bin/lua");
    const ProcessRef sighted = log.table.sighted(s);
    CHECK(log.exec(s, {"lua"}) == sighted);
    CHECK(log.table.find(sighted)->born == Born::exec);
    CHECK(log.table.find(sighted)->argv == std::vector<std::string>{"lua"});
}

TEST_CASE("execs out of order are put in order") {
    Log log;
    log.fork(10, 1, "/bin/sh", 20);
    const TypedEvent env = log.at(20, 10, "/usr/bin/env");
    const ProcessRef lua = log.exec(20, 10, "/bin/lua");
    log.exec(env, {"env"});
    CHECK(log.table.current(20) == lua);
    CHECK(log.line(lua) == "20:/bin/lua 20:/usr/bin/env 10:/bin/sh");
}

TEST_CASE("a record that is older than the image is its predecessor's") {
    Log log;
    const ProcessRef sh = log.exec(20, 10, "/bin/sh");
    const TypedEvent open = log.at(20, 10, "/bin/sh");
    const ProcessRef lua = log.exec(20, 10, "/bin/lua");
    CHECK(log.table.sighted(open) == sh);
    CHECK(log.table.current(20) == lua);
    CHECK(log.table.size() == 2);
}

TEST_CASE("another exe under the same parent is an exec that was not logged") {
    Log log;
    log.see(20, 10, "/bin/sh");
    CHECK(log.line(log.see(20, 10, "/bin/lua")) == "20:/bin/lua 20:/bin/sh");
    SECTION("but a deleted exe is the same one") {
        const ProcessRef before = log.table.current(20);
        CHECK(log.see(20, 10, "/bin/lua (deleted)") == before);
    }
}

TEST_CASE("an exit ends the pid, and what comes late is still of the ended image") {
    Log log;
    const ProcessRef lua = log.exec(20, 10, "/bin/lua");
    log.exit(20, 10, "/bin/lua");
    CHECK_FALSE(log.table.current(20));
    CHECK(log.table.find(lua)->exited);
    CHECK(log.see(20, 10, "/bin/lua") == lua); // another thread's last call
    CHECK_FALSE(log.table.current(20));

    log.ms += 5000;
    const ProcessRef next = log.see(20, 10, "/bin/lua");
    CHECK(next != lua);
    CHECK(log.table.current(20) == next);
    CHECK_FALSE(log.table.find(next)->execed_from);
}

TEST_CASE("an exit of the pid's former process does not end the new one") {
    Log log;
    log.exec(20, 10, "/bin/a");
    const TypedEvent exit = log.at(20, 10, "/bin/a");
    const ProcessRef child = log.fork(11, 1, "/bin/sh", 20);
    log.table.exited(exit);
    CHECK(log.table.current(20) == child);
}

TEST_CASE("a process that exited is nobody's parent later") {
    Log log;
    log.exec(10, 1, "/bin/old");
    log.exit(10, 1, "/bin/old");
    log.ms += 60'000;
    CHECK(log.line(log.exec(20, 10, "/bin/x")) == "20:/bin/x");
}

TEST_CASE("processes of one login are one tree, logins of one daemon are not") {
    // sshd(5, no session) -+- bash(10, session 3) -+- curl(20)
    //                      |                       `- lua(21)
    //                      `- bash(30, session 4) --- lua(31)
    Log log;
    log.session = std::nullopt;
    log.exec(5, 1, "/usr/sbin/sshd");
    log.session = 3;
    log.exec(10, 5, "/bin/bash");
    const ProcessRef curl = log.exec(20, 10, "/bin/curl");
    const ProcessRef lua = log.exec(21, 10, "/bin/lua");
    log.session = 4;
    log.exec(30, 5, "/bin/bash");
    const ProcessRef other = log.exec(31, 30, "/bin/lua");

    CHECK(log.table.same_tree(curl, lua));
    CHECK(log.table.same_tree(lua, curl));
    CHECK_FALSE(log.table.same_tree(curl, other));
    CHECK(log.table.same_tree(log.table.current(5), other)); // an ancestor
    CHECK_FALSE(log.table.same_tree(curl, ProcessRef{}));
}

TEST_CASE("services of one manager are one tree, unless it is pid 1") {
    Log log;
    log.session = 0xffffffff;
    const std::uint32_t manager = GENERATE(1U, 50U);
    log.see(manager, 0, "/sbin/init");
    const ProcessRef a = log.exec(20, manager, "/bin/a");
    log.session = std::nullopt; // another way to say the same
    const ProcessRef b = log.exec(30, manager, "/bin/b");
    CHECK(log.table.same_tree(a, b) == (manager != 1));
}

TEST_CASE("no process is pid 0") {
    Log log;
    CHECK_FALSE(log.see(0, 0, "/x"));
    CHECK_FALSE(log.exec(0, 0, "/x"));
    CHECK_FALSE(log.fork(10, 0, "/x", 0));
    log.exit(0, 0, "/x");
    CHECK(log.table.size() == 1);
}

} // namespace process_table_test
