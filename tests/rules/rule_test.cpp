#include "luatrail/rules/rule.hpp"
#include "luatrail/rules/rule_text.hpp"
#include "support/catch.hpp"

namespace rule_test {

using namespace luatrail::rules;

namespace {

Rule one(std::string_view line) {
    const auto set = parse_rules(line, "test", "x86_64");
    INFO(line);
    CHECK(set.errors.empty());
    REQUIRE(set.rules.size() == 1);
    return set.rules.front();
}

std::string refused(std::string_view line) {
    const auto set = parse_rules(line, "test", "x86_64");
    INFO(line);
    CHECK(set.rules.empty());
    REQUIRE(set.errors.size() == 1);
    return set.errors.front();
}

} // namespace

TEST_CASE("a rule's line is read into its parts, and written again") {
    const auto rule =
        one("-a exit,always -F arch=b64 -S execve,execveat -S openat -F auid>=1000 -F a2&0x43 -F auid!=unset -F "
            "key=first -k second");
    CHECK(rule.list == List::exit);
    CHECK(rule.action == Action::always);
    CHECK(rule.calls == std::vector<std::string>{"execve", "execveat", "openat"});
    REQUIRE(rule.fields.size() == 4);
    CHECK(rule.fields[1] == Comparison{"auid", ">=", "1000"});
    CHECK(rule.fields[2] == Comparison{"a2", "&", "0x43"});
    CHECK(rule.fields[3] == Comparison{"auid", "!=", "unset"});
    CHECK(rule.keys == std::vector<std::string>{"first", "second"});
    CHECK(rule.origin == "test:1");
    CHECK(rule.text() ==
          "-a always,exit -F arch=b64 -S execve,execveat,openat -F auid>=1000 -F a2&0x43 -F auid!=unset -k "
          "first -k second");
    CHECK(one(rule.text()).text() == rule.text());
}

TEST_CASE("watches are rules of a directory") {
    const auto rule = one("-w /etc/cron.d/ -p wa -k cron");
    CHECK(rule.calls.empty());
    REQUIRE(rule.field("dir") != nullptr);
    CHECK(rule.field("dir")->value == "/etc/cron.d");
    CHECK(rule.field("perm")->value == "wa");
    CHECK(one("-w /etc/passwd").field("perm")->value == "rwxa");
}

TEST_CASE("what -D empties is gone, -A goes in front, settings are kept, comments are not") {
    const auto set = parse_rules(
        "-w /gone -p w\n-D\n# -w /comment\n\n  -b 8192 \r\n-a always,exit -S execve\n-A never,task\n-e 2\n-e 1\n-c\n"
        "--loginuid-immutable\n--backlog_wait_time 60000",
        "file", "x86_64");
    CHECK(set.errors.empty());
    REQUIRE(set.rules.size() == 2);
    CHECK(set.rules[0].list == List::task);
    CHECK(set.rules[0].origin == "file:7");
    CHECK(set.setting('b') == "8192");
    CHECK(set.setting('e') == "1");
    CHECK(set.setting('c') == "");
    CHECK_FALSE(set.setting('r').has_value());
}

TEST_CASE("quotes keep words together") {
    CHECK(one("-a always,exit -F dir=\"/srv/a b\" -F exe='/opt/x' -k 'k k'").field("dir")->value == "/srv/a b");
}

TEST_CASE("what auditctl would refuse is named with its line and reason") {
    CHECK(refused("-a sometimes,exit -S execve").starts_with("test:1: -a sometimes,exit: an action"));
    CHECK(refused("-a always,exit -S").find("-S without a value") != std::string::npos);
    CHECK(refused("-a always,exit -S nosuchcall").find("no such system call on x86_64") != std::string::npos);
    CHECK(refused("-a always,exit -F arch=b32 -S memfd_creat").find("arch=b32") != std::string::npos);
    CHECK(refused("-a always,exit -F nofield=1").find("no such field") != std::string::npos);
    CHECK(refused("-a always,exit -F arch=vax -S open").find("no such architecture") != std::string::npos);
    CHECK(refused("-a always,exit -F uid").find("no comparison") != std::string::npos);
    CHECK(refused("-a always,exit -F uid==0").find("no operator") != std::string::npos);
    CHECK(refused("-a always,exit -F uid=").find("no value") != std::string::npos);
    CHECK(refused("-a always,exit -F dir=tmp").find("not an absolute path") != std::string::npos);
    CHECK(refused("-w tmp -p wa").find("not an absolute path") != std::string::npos);
    CHECK(refused("-S execve -k x").find("without -a") != std::string::npos);
    CHECK(refused("rm -rf /").find("rm: not an option") != std::string::npos);
    CHECK(refused("-k \x1b[31m -x").find('\x1b') == std::string::npos);
}

TEST_CASE("a wrong line costs itself only") {
    const auto set = parse_rules("-a always,exit -S nosuch\n-a always,exit -S execve\n", "f", "x86_64");
    CHECK(set.errors.size() == 1);
    CHECK(set.rules.size() == 1);
}

TEST_CASE("calls are numbers of a processor") {
    CHECK(call_number("execve", "b64", "x86_64") == 59);
    CHECK(call_number("execve", "b32", "x86_64") == 11);
    CHECK(call_number("execve", "b64", "aarch64") == 221);
    CHECK(call_number("execve", "b32", "aarch64") == 11);
    CHECK(call_number("452", "b64", "x86_64") == 452);
    CHECK_FALSE(call_number("open", "b64", "aarch64").has_value());
    CHECK_FALSE(call_number("execve", "b64", "vax").has_value());
    CHECK(same_processor("b64", "x86_64", "x86_64"));
    CHECK(same_processor("b32", "i386", "x86_64"));
    CHECK_FALSE(same_processor("b32", "b64", "x86_64"));
    CHECK_FALSE(same_processor("vax", "vax", "x86_64"));
}

} // namespace rule_test
