#include <string>

#include "audit/support.hpp"

namespace execve_test {

using namespace luatrail;
using namespace audit_test;

namespace {

const std::string stamp = "1795572010.666:108274";

// What becomes of EXECVE records with these texts.
std::string argv_of(const std::vector<std::string>& bodies) {
    std::string log = syscall_line(stamp, 59);
    for (const auto& body : bodies) {
        log += line("EXECVE", stamp, body);
    }
    return argv_text(event_of(log)->typed().execve);
}

std::string hex_of(std::string_view text) {
    std::string hex;
    for (const unsigned char c : text) {
        hex += fmt::format("{:02X}", c);
    }
    return hex;
}

} // namespace

TEST_CASE("arguments are literal, encoded, empty and of any bytes") {
    CHECK(argv_of({R"(argc=3 a0="lua" a1="-e" a2=6F732E6578697428290A)"}) == "argc=3 [lua] [-e] [os.exit()\n]");
    CHECK(argv_of({R"(argc=2 a0="lua" a1="")"}) == "argc=2 [lua] []");
    CHECK(argv_of({R"(argc=2 a0="lua" a1=FF2F80)"}) == "argc=2 [lua] [\xff/\x80]");
    CHECK(argv_of({R"(argc=2 a0="lua" a1="a b=c")"}) ==
          "argc=2 [lua] [a b=c]"); // no kernel writes a blank so, others do
    CHECK(argv_of({R"(argc=1 a0=(null))"}) == "argc=1 []");
}

TEST_CASE("arguments go on over several records") {
    CHECK(argv_of({R"(argc=4 a0="lua" a1="-e" )", R"(a2="x" a3="y")"}) == "argc=4 [lua] [-e] [x] [y]");
    CHECK(argv_of({R"(argc=3 a0="lua" )", R"(a2="y")", R"(a1="x" )"}) == "argc=3 [lua] [x] [y]");
}

TEST_CASE("an argument in quotes is literal, also when it is all digits") {
    CHECK(argv_of({R"(argc=5 a0="sleep" a1="30" a2="3005" a3=3005 a4="x")"}) ==
          "argc=5 [sleep] [30] [3005] [0\x05] [x]");
}

TEST_CASE("lower-case hex is not an encoding") {
    CHECK(argv_of({R"(argc=3 a0="docker" a1="deadbeef" a2=deadbeef)"}) == "argc=3 [docker] [deadbeef] [deadbeef]");
}

TEST_CASE("an argument that no record carries keeps its place, empty and named as missing") {
    CHECK(argv_of({R"(argc=3 a0="/bin/ls" a2="/etc")"}) == "argc=3 [/bin/ls] [] [/etc] missing=1");
    CHECK(argv_of({R"(argc=5 a1="b" a3="d")"}) == "argc=5 [] [b] [] [d] [] missing=0 missing=2 missing=4");
}

TEST_CASE("fewer arguments than announced leave the last ones missing") {
    CHECK(argv_of({R"(argc=4 a0="/bin/bash" a1="/x.sh" a2="/usr/bin/ipmitool")"}) ==
          "argc=4 [/bin/bash] [/x.sh] [/usr/bin/ipmitool] [] missing=3");
    CHECK(argv_of({R"(argc=3 a0="lua" a1=<too_long> a2="x")"}) == "argc=3 [lua] [] [x] missing=1 truncated");
    CHECK(argv_of({"argc=2"}) == "argc=2 [] [] missing=0 missing=1");
}

TEST_CASE("a split argument is joined from its pieces, its length counted as it is written") {
    const std::string big(8000, '0'); // plain text, and yet hex in pieces
    const auto hex = hex_of(big);
    const auto half = hex.size() / 2;
    CHECK(argv_of(
              {R"(argc=5 a0="lua" a1="-" a2="x" )" + fmt::format("a3_len={} a3[0]={}", hex.size(), hex.substr(0, half)),
               " a3[1]=" + hex.substr(half), R"(a4="")"}) == "argc=5 [lua] [-] [x] [" + big + "] []");
    // The tail of one argument and the head of the next one share a record.
    CHECK(argv_of({R"(argc=3 a0="lua" a1_len=4 a1[0]=61)", R"( a1[1]=62 a2_len=6 a2[0]=6364)", R"( a2[1]=65)"}) ==
          "argc=3 [lua] [ab] [cde]");
    CHECK(argv_of({R"(argc=2 a0="lua" a1_len=4 a1[0]="ab")", R"(a1[1]="cd")"}) == "argc=2 [lua] [abcd]");
}

TEST_CASE("a split argument of which a piece is missing is what is left, and said to be truncated") {
    CHECK(argv_of({R"(argc=2 a0="lua" a1_len=6 a1[0]=61)", R"(a1[2]=63)"}) == "argc=2 [lua] [ac] cut=1 truncated");
    CHECK(argv_of({R"(argc=2 a0="lua" a1_len=6 a1[0]=61)"}) == "argc=2 [lua] [a] cut=1 truncated");
    CHECK(argv_of({R"(argc=2 a0="lua" a1_len=6)"}) == "argc=2 [lua] [] headless=1 truncated");
    CHECK(argv_of({R"(argc=3 a0="lua" a1_len=6 )", R"(a1[1]=63 a2="x")"}) ==
          "argc=3 [lua] [c] [x] headless=1 truncated");
    CHECK(argv_of({R"(argc=2 a0="lua" a1[0]=61 a1[0]=62)"}) == "argc=2 [lua] [b]");
}

TEST_CASE("the last argument needs nothing behind it") {
    CHECK(argv_of({R"(argc=1 a0="ps")"}) == "argc=1 [ps]");
    CHECK(argv_of({R"(argc=2 a0="ps" a1=6C)"}) == "argc=2 [ps] [l]");
}

TEST_CASE("an exec without arguments has the name that the kernel put there") {
    const auto made = event_of(syscall_line(stamp, 322) + line("EXECVE", stamp, R"(argc=0 a0="/dev/fd/3/x")"));
    CHECK(made->typed().is_exec());
    CHECK(argv_text(made->typed().execve) == "argc=0 [/dev/fd/3/x]");
    CHECK(argv_of({"argc=0"}) == "argc=0");
}

TEST_CASE("of two EXECVE heads of a #! script the one with more arguments counts") {
    const std::string script = R"(argc=2 a0="/bin/sh" a1="/etc/acpi/powerbtn.sh")";
    const std::string shell = R"(argc=1 a0="/bin/sh")";
    CHECK(argv_of({script, shell}) == "argc=2 [/bin/sh] [/etc/acpi/powerbtn.sh]");
    CHECK(argv_of({shell, script}) == "argc=2 [/bin/sh] [/etc/acpi/powerbtn.sh]");
}

TEST_CASE("an argument that a relay cut in the middle of a byte is whole bytes, and said to be truncated") {
    CHECK(argv_of({"argc=2 a0=\"lua\" a1=6C7561612"}) == "argc=2 [lua] [luaa] cut=1 truncated");
    CHECK(argv_of({"argc=3 a0=\"lua\" a1=6C7561612"}) == "argc=3 [lua] [luaa] [] missing=2 cut=1 truncated");
    CHECK(argv_of({"argc=2 a0=\"lua\" a1_len=20 a1[0]=6C7561612"}) == "argc=2 [lua] [luaa] cut=1 truncated");
}

TEST_CASE("a half-interpreted word at its record's end is no cut hex") {
    CHECK(argv_of({"argc=2 a0=lua a1=top"}) == "argc=2 [lua] [top]");
}

TEST_CASE("a forged count or index costs no memory") {
    CHECK(argv_of({R"(argc=-1 a0="lua")"}) == "argc=-1 [lua]");
    const auto huge = event_of(syscall_line(stamp, 59) + line("EXECVE", stamp, R"(argc=999999999999 a0="lua")"));
    CHECK(huge->typed().execve.argv.size() == 257);
    CHECK(huge->typed().execve.missing.size() == 256);
    CHECK(huge->typed().execve.truncated);
    CHECK(argv_of({R"(argc=65536 a0="lua" a65535="x")"}).size() < 8192);
    CHECK(argv_of({R"(argc=1 a0="lua" a99999999="x" a18446744073709551616="y")"}) == "argc=1 [lua] truncated");
    CHECK(argv_of({R"(argc=x a0="lua")"}) == "argc=- [lua]");
    CHECK(argv_of({R"(argc=1 a0="lua" a="1" ab="2" a1x="3" a1[="4" a1[]="5" a1[x]="6" a1_le="7")"}) == "argc=1 [lua]");
}

TEST_CASE("without EXECVE the arguments are PROCTITLE's, which is cut at 128 bytes") {
    const auto argv = [](const std::string& title, std::string_view call = "success=yes exit=0") {
        return argv_text(
            event_of(syscall_line(stamp, 59, call) + line("PROCTITLE", stamp, "proctitle=" + title))->typed().execve);
    };
    CHECK(argv("6C73002D6C61") == "argc=- [ls] [-la]");
    CHECK(argv("6C73002D6C6100") == "argc=- [ls] [-la]");
    CHECK(argv("6C7300002D6C61") == "argc=- [ls] [] [-la]");
    CHECK(argv("\"lua\"") == "argc=- [lua]");
    CHECK(argv("(null)") == "argc=-");
    const std::string long_path(124, 'x');
    CHECK(argv(hex_of("lua" + std::string(1, '\0') + long_path)) == "argc=- [lua] [" + long_path + "] cut=1 truncated");
    CHECK(argv(hex_of("lua" + std::string(1, '\0') + long_path.substr(1))) ==
          "argc=- [lua] [" + long_path.substr(1) + "]");
    CHECK(argv("6C7561", "success=no exit=-2") == "argc=-"); // the title is still that of the caller
    // EXECVE says more.
    const auto both = event_of(syscall_line(stamp, 59) + line("EXECVE", stamp, R"(argc=1 a0="lua")") +
                               line("PROCTITLE", stamp, "proctitle=6C73002D6C61"));
    CHECK(argv_text(both->typed().execve) == "argc=1 [lua]");
    // Neither: nothing is known.
    CHECK(argv_text(event_of(syscall_line(stamp, 59))->typed().execve) == "argc=- truncated");
}

TEST_CASE("what a relay cut off an EXECVE record is taken from the whole PROCTITLE, and the event stays partial") {
    const auto completed = [](const std::string& body, const std::string& title) {
        const auto kept = event_of(syscall_line(stamp, 59) + line("EXECVE", stamp, body) +
                                   line("PROCTITLE", stamp, "proctitle=" + hex_of(title)));
        return argv_text(kept->typed().execve) + (kept->typed().partial ? " partial" : "");
    };
    using namespace std::string_literals;
    const auto title = "lua5.4\0/tmp/evil-name.lua"s;
    CHECK(completed(R"(argc=2 a0="lua5.4" a1="/tmp/evil-na)", title) == "argc=2 [lua5.4] [/tmp/evil-name.lua] partial");
    CHECK(completed(R"(argc=2 a0="lua5.4")", title).starts_with("argc=2 [lua5.4] [/tmp/evil-name.lua]"));
    // Another process's title, and one that is cut itself.
    CHECK(completed(R"(argc=2 a0="lua5.4" a1="/tmp/evil-na)", "lua5.4\0/srv/x.lua"s).find("/srv") == std::string::npos);
    const auto longer = title + std::string(200, 'x');
    CHECK(completed(R"(argc=2 a0="lua5.4" a1="/tmp/evil-na)", longer.substr(0, 128)).find("xx") == std::string::npos);
}

TEST_CASE("a record that a relay cut makes its event partial") {
    const auto is_partial = [](const std::string& records) { return event_of(records)->typed().partial; };
    const std::string call = "arch=c000003e syscall=257 success=yes exit=3 a0=1 a1=2 a2=3 a3=4 items=2 ppid=1 pid=2 "
                             "comm=\"a\" exe=\"/bin/a\" key=(null)";
    const std::string parent =
        line("PATH", stamp, R"(item=0 name="/tmp/" inode=7 dev=fe:00 mode=040755 nametype=PARENT)");
    const auto whole = line("SYSCALL", stamp, call) + parent;
    CHECK(!is_partial(whole + line("PATH", stamp, R"(item=1 name="/tmp/a" inode=8 dev=fe:00 nametype=CREATE)")));
    CHECK(is_partial(whole + line("PATH", stamp, R"(item=1 name="/tmp/a)")));
    CHECK(is_partial(whole + line("PATH", stamp, R"(item=1 name=2F746D702F)")));
    CHECK(is_partial(line("SYSCALL", stamp, call.substr(0, call.size() - 14)) + parent + parent));
}

} // namespace execve_test
