// Logs that broke other collectors, from public reports: records and events. Each log is read whole, byte by
// byte, and with libauparse (events_of()).
#include <string>
#include <vector>

#include "audit/support.hpp"

namespace odd_logs_test {

using namespace luatrail;
using namespace audit_test;

namespace {

using Texts = std::vector<std::string>;

std::string numbered(std::string_view type, std::string_view stamp, int item) {
    return line(type, stamp, fmt::format("item={} name=\"/{}\" inode=9 dev=fe:00 nametype=NORMAL", item, item));
}

std::size_t malformed(const Assembled& made) {
    return made.parsed.malformed_total();
}

} // namespace

TEST_CASE("an event's last record comes behind the next event's first one") {
    const auto made =
        events_of(line("EXECVE", "1.000:49", "argc=1 a0=\"a\"") + numbered("PATH", "1.000:49", 0) +
                  numbered("PATH", "1.000:49", 1) + syscall_line("1.000:50", 59) +
                  line("PROCTITLE", "1.000:49", "proctitle=\"a\"") + line("EXECVE", "1.000:50", "argc=1 a0=\"b\""));
    CHECK(made.texts() == Texts{"1.000:49 EXECVE PATH PATH PROCTITLE", "1.000:50 SYSCALL EXECVE"});
}

TEST_CASE("two events of four records each, one within the other") {
    const auto first = [](int item) { return numbered("PATH", "1.000:1", item); };
    const auto second = [](int item) { return numbered("PATH", "1.000:2", item); };
    const auto made =
        events_of(first(1) + first(2) + second(1) + second(2) + second(3) + second(4) + first(3) + first(4));
    CHECK(made.texts() == Texts{"1.000:1 PATH PATH PATH PATH", "1.000:2 PATH PATH PATH PATH"});
}

TEST_CASE("an event that is written behind newer ones, between an older one and another's records") {
    const auto whole = [](const std::string& stamp) {
        return syscall_line(stamp, 59) + line("EXECVE", stamp, "argc=1 a0=\"x\"") + line("CWD", stamp, "cwd=\"/\"") +
               numbered("PATH", stamp, 0) + numbered("PATH", stamp, 1) + line("PROCTITLE", stamp, "proctitle=\"x\"");
    };
    const std::string late = "1609519896.829:44609", between = "1609519900.163:44608";
    const auto made = events_of(
        whole("1609519896.824:44603") + whole("1609519896.826:44604") + whole("1609519801.338:44605") +
        whole("1609519900.159:44606") + whole("1609519900.161:44607") + syscall_line(late, 59) +
        line("EXECVE", late, "argc=1 a0=\"x\"") + line("CWD", late, "cwd=\"/\"") + syscall_line(between, 59) +
        numbered("PATH", late, 0) + line("EXECVE", between, "argc=1 a0=\"x\"") + line("CWD", between, "cwd=\"/\"") +
        numbered("PATH", late, 1) + line("PROCTITLE", late, "proctitle=\"x\"") + numbered("PATH", between, 0) +
        numbered("PATH", between, 1) + line("PROCTITLE", between, "proctitle=\"x\"") + whole("1609519900.170:44611"));
    const std::string records = " SYSCALL EXECVE CWD PATH PATH PROCTITLE";
    CHECK(made.texts() == Texts{"1609519896.824:44603" + records, "1609519896.826:44604" + records,
                                "1609519801.338:44605" + records, "1609519900.159:44606" + records,
                                "1609519900.161:44607" + records, late + records, between + records,
                                "1609519900.170:44611" + records});
}

TEST_CASE("a LOGIN record with a call's stamp is a record of its event") {
    const auto made = events_of(line("LOGIN", "1.000:219", "pid=9 uid=0 old-auid=4294967295 auid=1000 res=1") +
                                syscall_line("1.000:219", 1) + line("PROCTITLE", "1.000:219", "proctitle=\"login\""));
    CHECK(made.texts() == Texts{"1.000:219 LOGIN SYSCALL PROCTITLE"});
}

TEST_CASE("without any EOE every event is there at the end of the input, the last one too") {
    std::string log;
    for (int serial = 1; serial <= 100; ++serial) {
        log += syscall_line(fmt::format("{}.000:{}", serial, serial), 59);
    }
    CHECK(events_of(log).texts().size() == 100);
    CHECK(events_of(syscall_line("1.000:5", 59) + line("EOE", "1.000:5")).texts() == Texts{"1.000:5 SYSCALL"});
    CHECK(events_of(syscall_line("1.000:5", 59) + line("PROCTITLE", "1.000:5", "proctitle=\"x\"")).texts() ==
          Texts{"1.000:5 SYSCALL PROCTITLE"});
}

TEST_CASE("an EOE behind an event that was whole already is no event") {
    Way live;
    live.limits.eager = true;
    for (const auto parser : {source::ParserKind::native, source::ParserKind::auparse}) {
        live.parser = parser;
        const auto made = assemble(syscall_line("1.000:5", 59) + line("PROCTITLE", "1.000:5", "proctitle=\"x\"") +
                                       line("EOE", "1.000:5") + syscall_line("1.000:6", 59) + line("EOE", "1.000:6"),
                                   live);
        CHECK(made.texts() == Texts{"1.000:5 SYSCALL PROCTITLE", "1.000:6 SYSCALL"});
    }
}

TEST_CASE("some records precede the call's own") {
    const auto made = events_of(line("AVC", "1.000:5", "avc:  denied  { execmem } for  pid=8 comm=\"lua\"") +
                                line("UNKNOWN[1420]", "1.000:5", "subj_apparmor=unconfined") +
                                syscall_line("1.000:5", 9) + line("PROCTITLE", "1.000:5", "proctitle=\"lua\""));
    CHECK(made.texts() == Texts{"1.000:5 AVC UNKNOWN[1420] SYSCALL PROCTITLE"});
    CHECK(made.events.front()->typed().syscall.exe == "/usr/bin/lua5.4");
}

TEST_CASE("a serial that wraps leaves no gap and loses no event") {
    std::string log;
    for (const auto serial : {4294967294U, 4294967295U, 0U, 1U, 2U}) {
        log += syscall_line(fmt::format("1.000:{}", serial), 59);
    }
    CHECK(events_of(log).texts() == Texts{"1.000:4294967294 SYSCALL", "1.000:4294967295 SYSCALL", "1.000:0 SYSCALL",
                                          "1.000:1 SYSCALL", "1.000:2 SYSCALL"});
}

TEST_CASE("serials start again with each boot, and auditd's own are another series") {
    const auto boot = [](const std::string& seconds) {
        return line("DAEMON_START", seconds + ".000:7777", "op=start") +
               line("SYSTEM_BOOT", seconds + ".001:6", "pid=1") + syscall_line(seconds + ".002:7", 59);
    };
    CHECK(events_of(boot("1000") + boot("2000")).texts() ==
          Texts{"1000.000:7777 DAEMON_START", "1000.001:6 SYSTEM_BOOT", "1000.002:7 SYSCALL",
                "2000.000:7777 DAEMON_START", "2000.001:6 SYSTEM_BOOT", "2000.002:7 SYSCALL"});
}

TEST_CASE("an event's records lie twenty serials apart, and time goes back and forth") {
    std::string log;
    Texts expected;
    for (int serial = 0; serial < 400; ++serial) {
        const auto stamp = [](int of) { return fmt::format("{}.{:03}:{}", 100 - of % 2, of, of); };
        log += syscall_line(stamp(serial), 59);
        if (serial >= 20) {
            log += line("CWD", stamp(serial - 20), "cwd=\"/\"") + numbered("PATH", stamp(serial - 20), 0);
        }
        expected.push_back(stamp(serial) + (serial < 380 ? " SYSCALL CWD PATH" : " SYSCALL"));
    }
    CHECK(events_of(log).texts() == expected);
}

TEST_CASE("a node before the type is accepted, and tells hosts with equal stamps apart") {
    const auto made = events_of("node=a " + syscall_line("1.000:5", 59) + "node=b " + syscall_line("1.000:5", 59) +
                                "node=a " + line("CWD", "1.000:5", "cwd=\"/\""));
    CHECK(made.texts() == Texts{"a 1.000:5 SYSCALL CWD", "b 1.000:5 SYSCALL"});
}

TEST_CASE("types as numbers, as the kernel sends them") {
    const auto made = events_of("audit: type=1300 audit(1.000:5): arch=c000003e syscall=59 success=yes exit=0 pid=8\n"
                                "audit: type=1309 audit(1.000:5): argc=2 a0=\"lua\" a1=\"x.lua\"\n");
    REQUIRE(made.events.size() == 1);
    CHECK(made.events.front()->typed().is_exec());
    CHECK(argv_text(made.events.front()->typed().execve) == "argc=2 [lua] [x.lua]");
}

TEST_CASE("what a relay cut off and put on a line of its own is counted, and costs no other line") {
    const auto made = events_of(line("EXECVE", "1.000:5", "argc=2 a0=\"lua\" a1=6C7561612") + "F746D702F\n" +
                                line("EXECVE", "1.000:6", "argc=1 a0=\"lua\""));
    CHECK(made.texts() == Texts{"1.000:5 EXECVE", "1.000:6 EXECVE"});
    CHECK(argv_text(made.events.front()->typed().execve) == "argc=2 [lua] [luaa] cut=1 truncated");
    CHECK(malformed(made) == 1);
}

TEST_CASE("a record that was stored twice counts once, wherever its twin stands") {
    const auto path = numbered("PATH", "1.000:5", 0);
    const auto call = syscall_line("1.000:5", 59);
    const auto made = events_of(call + call + path + line("CWD", "1.000:5", "cwd=\"/\"") + path);
    CHECK(made.texts() == Texts{"1.000:5 SYSCALL PATH CWD"});
    CHECK(made.counters.duplicates == 2);
    CHECK(events_of(path + numbered("PATH", "1.000:5", 1)).counters.duplicates == 0);
}

TEST_CASE("half-interpreted lines mean what they say") {
    const auto made = events_of(line("SYSCALL", "1.000:5",
                                     "arch=x86_64 syscall=execve success=yes exit=0 items=0 ppid=7 pid=8 auid=root "
                                     "uid=root comm=top exe=/usr/bin/top key=(null)"));
    REQUIRE(made.events.size() == 1);
    const auto& call = made.events.front()->typed().syscall;
    CHECK(call.call == audit::Call::execve);
    CHECK(call.comm == "top");
    CHECK(call.exe == "/usr/bin/top");
    CHECK(call.uid == 0U);
}

TEST_CASE("a value without quotes is text where its record, or its event, was decoded before") {
    const auto argv = [](const std::string& execve, const std::string& syscall) {
        const auto made = events_of(line("SYSCALL", "1.000:5", syscall) + line("EXECVE", "1.000:5", execve));
        return argv_text(made.events.at(0)->typed().execve);
    };
    const std::string decoded =
        "arch=x86_64 syscall=execve success=yes exit=0 items=0 pid=8 uid=user comm=4142 exe=4344";
    const std::string numbers =
        "arch=c000003e syscall=59 success=yes exit=0 items=0 pid=8 uid=0 comm=lua exe=/usr/bin/lua";
    const std::string raw =
        R"(arch=c000003e syscall=59 success=yes exit=0 items=0 pid=8 uid=0 comm="lua" exe="/usr/bin/lua")";
    const std::string names =
        R"(arch=x86_64 syscall=execve success=yes exit=0 items=0 pid=8 uid=0 comm="lua" exe="/bin/lua")";
    CHECK(argv("argc=2 a0=lua a1=2020", decoded) == "argc=2 [lua] [2020]");
    CHECK(argv("argc=2 a0=lua a1=2020", raw) == "argc=2 [lua] [2020]"); // "lua" is not as the kernel writes it
    CHECK(argv("argc=2 a0=41 a1=2020", decoded) == "argc=2 [41] [2020]");
    CHECK(argv("argc=2 a0=41 a1=2020", numbers) == "argc=2 [41] [2020]");
    CHECK(argv("argc=2 a0=41 a1=2020", raw) == "argc=2 [A] [  ]");
    CHECK(argv("argc=2 a0=41 a1=2020", names) == "argc=2 [A] [  ]"); // names, and quotes all the same
    CHECK(argv(R"(argc=2 a0="lua" a1=2020)", decoded) == "argc=2 [lua] [  ]");
    CHECK(argv("argc=4 a0=lua a1=-e a2=x = 1 y=2 a3=4142 43", decoded) == "argc=4 [lua] [-e] [x = 1 y=2] [4142 43]");
    CHECK(argv("argc=2 a0=lua a1=(null)", decoded) == "argc=2 [lua] []");

    const auto made = events_of(line("SYSCALL", "1.000:5", decoded) + line("CWD", "1.000:5", "cwd=/srv/my work") +
                                line("PATH", "1.000:5", "item=0 name=2020 inode=5 dev=08:01 nametype=NORMAL"));
    const auto& typed = made.events.at(0)->typed();
    CHECK(typed.syscall.comm == "4142");
    CHECK(typed.syscall.exe == "4344");
    CHECK(typed.syscall.user == "user");
    CHECK(typed.cwd == "/srv/my work");
    CHECK(typed.paths.at(0).name == "2020");
    CHECK(typed.paths.at(0).inode == 5U);
}

TEST_CASE("a decoded PROCTITLE is words between blanks, of which none is certain to be whole") {
    const auto made =
        events_of(line("SYSCALL", "1.000:5",
                       "arch=x86_64 syscall=execve success=yes exit=0 items=0 pid=8 comm=lua exe=/bin/lua") +
                  line("PROCTITLE", "1.000:5", "proctitle=lua  /tmp/x.lua 2020"));
    CHECK(argv_text(made.events.at(0)->typed().execve) == "argc=- [lua] [/tmp/x.lua] [2020] cut=2 truncated");
}

TEST_CASE("what ausearch -i prints is refused line by line, with its own reason") {
    for (const auto* interpreted :
         {"type=SYSCALL msg=audit(05/15/2019 16:28:38.510:1684) : arch=x86_64 syscall=execve success=yes exit=0\n",
          "type=SYSCALL msg=audit(15.05.2019 16:28:38.510:1684) : arch=x86_64 syscall=execve success=yes exit=0\n"}) {
        const auto made = events_of(interpreted);
        CHECK(made.events.empty());
        CHECK(made.parsed.malformed[static_cast<std::size_t>(source::Malformed::interpreted)] == 1);
    }
}

TEST_CASE("an event of which each record was cut is read as far as it goes") {
    const auto made = events_of(
        line("SYSCALL", "1.000:5",
             R"(arch=c000003e syscall=59 success=yes exit=0 items=0 pid=8 comm="lua" exe="/usr/bin/lua" key=(nu)") +
        line("EXECVE", "1.000:5", R"(argc=2 a0="lua" a1="/tmp/x.l)"));
    REQUIRE(made.events.size() == 1);
    const auto& typed = made.events.front()->typed();
    CHECK(typed.syscall.exe == "/usr/bin/lua");
    CHECK(typed.syscall.key == std::nullopt);
    CHECK(argv_text(typed.execve) == "argc=2 [lua] [/tmp/x.l] cut=1 truncated");
}

TEST_CASE("garbage costs the lines that it fills") {
    const std::string_view garbage[] = {
        std::string_view("00 001307\xd0"
                         "0(0000000000"),
        std::string_view("type=\n"),
        std::string_view("type=SYSCALL msg=audit(\n"),
        std::string_view("\0\0\0\0\n", 5),
        std::string_view("type=SYSCALL msg=audit(1.000:5\n"),
    };
    for (const auto text : garbage) {
        const auto alone = events_of(text);
        CHECK(alone.events.empty());
        CHECK(malformed(alone) == 1);
        const auto made = events_of(syscall_line("1.000:4", 59) + std::string(text) +
                                    (text.ends_with('\n') ? "" : "\n") + syscall_line("1.000:6", 59));
        CHECK(made.texts() == Texts{"1.000:4 SYSCALL", "1.000:6 SYSCALL"});
        CHECK(malformed(made) == 1);
    }
}

TEST_CASE("a serial that rises while time goes back is neither one event nor a new boot") {
    const auto made = events_of(line("MAC_POLICY_LOAD", "1550014075.691:133", "auid=4294967295 res=1") +
                                line("MAC_POLICY_LOAD", "1550014073.725:134", "auid=4294967295 res=1"));
    CHECK(made.texts() == Texts{"1550014075.691:133 MAC_POLICY_LOAD", "1550014073.725:134 MAC_POLICY_LOAD"});
    for (const auto& event : made.events) {
        CHECK(!event->typed().boot);
        CHECK(!event->typed().lost);
    }
}

TEST_CASE("lines of dmesg, of the journal, of syslog and of netlink are records") {
    const std::string record = "type=1300 audit(1.000:5): arch=c00000f3 syscall=221 success=yes exit=0 pid=8";
    for (const std::string prefix :
         {"[  194.262636] audit: ", "Jan 23 07:26:27 host kernel: audit: ",
          "2025-01-23T07:26:27.737000+00:00 host kernel: [  194.262636] audit: ", "<5>[  194.262636] audit: "}) {
        CAPTURE(prefix);
        const auto made = events_of(prefix + record + "\n");
        REQUIRE(made.events.size() == 1);
        CHECK(made.events.front()->typed().syscall.call == audit::Call::execve);
    }
    const auto netlink = events_of("type=SYSCALL audit(1.000:5): arch=c000003e syscall=59 success=yes exit=0 pid=8");
    REQUIRE(netlink.events.size() == 1);
    CHECK(netlink.events.front()->typed().is_exec());
}

} // namespace odd_logs_test
