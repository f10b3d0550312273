#include "support/catch.hpp"

#include "source/line_parser.hpp"
#include "source/support.hpp"

using namespace luatrail;
using source::Malformed;

namespace {

// "node|type_name|type|id|body|enriched", or "! reason".
std::string read(std::string_view line) {
    audit::Record record;
    Malformed reason{};
    if (source::parse_line(line, record, reason)) {
        return source_test::text_of(record);
    }
    return "! " + std::string(source::to_string(reason));
}

struct Case {
    const char* line;
    const char* expected;
};

void check(const std::vector<Case>& cases) {
    for (const auto& [line, expected] : cases) {
        CAPTURE(line);
        CHECK(read(line) == expected);
    }
}

} // namespace

TEST_CASE("a record is read from the shapes that auditd writes") {
    check({
        {R"(type=CWD msg=audit(1795572010.662:108274): cwd="/")", R"(|CWD|1307|1795572010.662:108274|cwd="/"|)"},
        {R"(node=web01 type=CWD msg=audit(1795572010.662:108274): cwd="/")",
         R"(web01|CWD|1307|1795572010.662:108274|cwd="/"|)"},
        {"type=EOE msg=audit(1795572010.662:108274): ", "|EOE|1320|1795572010.662:108274||"},
        {"type=EOE msg=audit(1795572010.662:108274):", "|EOE|1320|1795572010.662:108274||"},
        {"type=UNKNOWN[1420] msg=audit(1.002:3): subj_apparmor=unconfined",
         "|UNKNOWN[1420]|1420|1.002:3|subj_apparmor=unconfined|"},
        {"type=NOT_A_TYPE msg=audit(1.002:3): a=b", "|NOT_A_TYPE|0|1.002:3|a=b|"},
        {"type=CWD msg=audit(1.002:3): cwd=\"/\"\r", R"(|CWD|1307|1.002:3|cwd="/"|)"},
        {"node=h  type=CWD  msg=audit(1.002:3):  cwd=\"/\" ", R"(h|CWD|1307|1.002:3|cwd="/" |)"},
        {"type=DAEMON_END msg=audit(1162862354.005:5730) auditd normal halt",
         "|DAEMON_END|1201|1162862354.005:5730|auditd normal halt|"},
        {"type=DAEMON_START msg=audit(1.002:3): subj=unconfined  res=success",
         "|DAEMON_START|1200|1.002:3|subj=unconfined  res=success|"},
        {"host=dhcppc2 type=AVC msg=audit(1216729188.853:241): avc:  denied",
         "dhcppc2|AVC|1400|1216729188.853:241|avc:  denied|"},
    });
}

TEST_CASE("seconds with fewer than nine digits are read, as of a board whose clock stands at 1970") {
    check({
        {R"(type=CWD msg=audit(215.159:13046): cwd="/")", R"(|CWD|1307|215.159:13046|cwd="/"|)"},
        {"type=1400 audit(0.0:319): avc:  denied", "|1400|1400|0.000:319|avc:  denied|"},
    });
}

TEST_CASE("0x1D begins the enriched half, whatever stands around it") {
    check({
        {"type=PATH msg=audit(1.002:3): item=0 key=\"x\"\x1d"
         "ARCH=x86_64",
         "|PATH|1302|1.002:3|item=0 key=\"x\"|ARCH=x86_64"},
        {"type=USER_LOGIN msg=audit(1.002:3): res=success'\x1dUID=\"root\"\r",
         "|USER_LOGIN|1112|1.002:3|res=success'|UID=\"root\""},
        {"type=SOCKADDR msg=audit(1.002:3): saddr=0100\x1dSADDR={ a b }\x1d"
         "c",
         "|SOCKADDR|1306|1.002:3|saddr=0100|SADDR={ a b }\x1d"
         "c"},
        {"type=PATH msg=audit(1.002:3): a=b\x1d", "|PATH|1302|1.002:3|a=b|"},
    });
}

TEST_CASE("records from netlink and from the kernel's ring buffer have numeric types and no msg=") {
    check({
        {"type=1309 msg=audit(1565728125.289:26): argc=0", "|1309|1309|1565728125.289:26|argc=0|"},
        {"type=SYSCALL audit(1572298453.690:5717): arch=c00000b7", "|SYSCALL|1300|1572298453.690:5717|arch=c00000b7|"},
        {"audit: type=1309 audit(1.002:3): argc=2", "|1309|1309|1.002:3|argc=2|"},
        {"[  194.262636] audit: type=1101 audit(1.002:3): pid=1", "|1101|1101|1.002:3|pid=1|"},
        {"[42416.178567] type=1400 audit(1.002:3): pid=1", "|1400|1400|1.002:3|pid=1|"},
        {"[Fri Jun 11 20:15:56 2021] audit: type=1101 audit(1.002:3): pid=1", "|1101|1101|1.002:3|pid=1|"},
        {"<6>[  194.262636] audit: type=1101 audit(1.002:3): pid=1", "|1101|1101|1.002:3|pid=1|"},
        {"6,1234,567890,-;audit: type=1101 audit(1.002:3): pid=1", "|1101|1101|1.002:3|pid=1|"},
    });
}

TEST_CASE("a record is read behind the prefix of syslog and of the journal, and its host is the node") {
    const std::string record = R"(type=CWD msg=audit(1.002:3): cwd="/")";
    const std::string expected = R"(|CWD|1307|1.002:3|cwd="/"|)";
    const std::vector<std::pair<std::string, std::string>> prefixes{
        {"audispd: ", ""},
        {"Jun 14 15:19:02 ubuntu audispd: ", "ubuntu"},
        {"Jun  4 15:19:02 ubuntu auditd[77]: ", "ubuntu"},
        {"Jul  9 04:09:18 web1 tag_audit_log: ", "web1"},
        {"Jul  9 04:09:18 web1 audit-log ", "web1"}, // rsyslog's imfile with a tag that has no colon
        {"Jul  9 04:09:18 web1 ", "web1"},           // and with none
        {"Jul  9 04:09:18 10.0.0.7 /var/log/audit/audit.log: ", "10.0.0.7"},
        {"2026-11-25 02:00:10 web1 app[a-1]: ", "web1"},
        {"2026-11-25T02:00:10Z fe80::1 audit: ", "fe80::1"},
        {"<134>Oct 28 09:56:44 centos6 audispd: ", "centos6"},
        {"<14>Oct  8 09:56:44 centos6 audisp-syslog: ", "centos6"},
        {"2016-07-26T19:04:35.989307+03:00 linux-cb0u audispd: ", "linux-cb0u"},
        {"2013-01-01 15:09:04.562575+08:00 localhost audispd: ", "localhost"},
        {"Jan  1 15:09:04.562575-08:00 localhost kernel: [ 1911.569682] ", "localhost"},
        {"Jun 11 20:15:56 hyperv kernel: audit: ", "hyperv"},
        {"Jan 27 06:14:12 xxx kernel: [ 1498.988417] audit: ", "xxx"},
        {"Fri 2021-06-11 20:15:56 CEST hyperv kernel: audit: ", "hyperv"},
        {"1623467756.692134 hyperv kernel: audit: ", "hyperv"},
        {"[  194.262636] hyperv kernel: audit: ", "hyperv"},
        {"[  194.262636] audit: ", ""},
        {"\xef\xbb\xbf", ""},
        {"\xef\xbb\xbfJun 14 15:19:02 ubuntu audispd: ", "ubuntu"},
        {"<13>1 2026-11-25T02:00:10.666Z web01 audispd 77 - - ", "web01"},
        {"<13>1 - - my-app - ID47 - ", ""},
        {"<13>1 2026-11-25T02:00:10.666Z web01 kernel - - [a@1 b=\"c]\\\"\"][d] \xef\xbb\xbf"
         "audit: ",
         "web01"},
    };
    for (const auto& [prefix, node] : prefixes) {
        CAPTURE(prefix);
        CHECK(read(prefix + record) == node + expected);
        CHECK(read(prefix + "x" + record) == "! no-record");
    }
    CHECK(read("<134>Oct 28 09:56:44 relay audispd: node=web01 " + record) == "web01" + expected);
    const std::string zeros(7, '\0');
    CHECK(read(zeros + record + zeros) == expected);
}

TEST_CASE("text that cannot be read says what it is") {
    CHECK(read("Nov 18 11:06:40 host audit[100]: SYSCALL arch=c000003e syscall=59") == "! journal-text");
    CHECK(read("Nov 18 11:06:40 host audit[1]: PATH item=0 name=\"/x\"") == "! journal-text");
    CHECK(read("Nov 18 11:06:40 host cron[1]: HELLO a=b") == "! no-record");
    std::string wide;
    for (const char c : std::string("type=CWD msg=audit(1.002:3): cwd=\"/\"")) {
        wide += c;
        wide += '\0';
    }
    CHECK(read(wide) == "! utf-16");
    CHECK(read("\xff\xfe" + wide) == "! utf-16");
}

TEST_CASE("another message's free text can't forge a record") {
    const std::string record = "type=SYSCALL msg=audit(1.002:3): arch=c000003e syscall=59";
    for (const char* prefix : {
             "sshd[1]: Invalid user ",
             "Jun 14 15:19:02 host sshd[1]: Invalid user ",
             "Jun 14 15:19:02 host sudo: root ",
             "Jun 14 15:19:02 sudo: root ",
             "Jun 14 15:19:02 host app who ",
             "Jun 14 15:19:02 host logger: audispd: ",
             "Jun 14 15:19:02 host sshd[1]: audispd: ",
             "Jun 14 15:19:02 host sshd[1]: Invalid user x kernel: audit: ",
             "Jun 14 15:19:02 host kernel: [ 1.2] x[1]: ",
             "Jun 14 15:19:02 host kernel: audit: x ",
             "[x audispd: ",
             "<13>1 2026-11-25T02:00:10.666Z web01 sshd 77 - - audispd: ",
             "<13>1 2026-11-25T02:00:10.666Z web01 audispd 77 - ",
             "<1345>audispd: ",
             "6,1234,567890,-;",
             "{\"message\": \"",
             "key=\"wazuh_fim\" ",
             "audit.log:",
             "    ",
             "node=a b ",
             "\x1d",
         }) {
        CAPTURE(prefix);
        CHECK(read(prefix + record) == "! no-record");
    }
}

TEST_CASE("a line that is no record is refused with its reason") {
    using namespace std::string_literals;
    check({
        {"", "! no-record"},
        {"00 001307\xd0"
         "00(0000000000",
         "! no-record"},
        {"type=", "! no-record"},
        {"type=CWD", "! no-record"},
        {"type=CWD msg=", "! no-record"},
        {"type= msg=audit(1.002:3): a=b", "! no-record"},
        {"type=a\x1d"
         "b msg=audit(1.002:3): a=b",
         "! no-record"},
        {"msg=audit(1.002:3): a=b", "! no-record"},
        {"node=x", "! no-record"},
        {"audit[476]: SYSCALL arch=c000003e syscall=59", "! journal-text"},
        {"type=CWD msg=audit(): a=b", "! bad-stamp"},
        {"type=CWD msg=audit(1337845201): a=b", "! bad-stamp"},
        {"type=CWD msg=audit(1337845201.002): a=b", "! bad-stamp"},
        {"type=CWD msg=audit(1337845201.0020:3): a=b", "! bad-stamp"},
        {"type=CWD msg=audit(133784520100.002:3): a=b", "! bad-stamp"},
        {"type=CWD msg=audit(1337845201.002:36893488147419103232): a=b", "! bad-stamp"},
        {"type=CWD msg=audit(-1.002:3): a=b", "! bad-stamp"},
        {"type=CWD msg=audit(1.002:3", "! bad-stamp"},
        {"type=CWD msg=audit(1.002:3)a=b", "! bad-stamp"},
        {"type=AVC msg=audit(12799====8288.415:39): a=b", "! bad-stamp"},
        {"type=SYSCALL msg=audit(05/15/2019 16:28:38.510:1684) : arch=x86_64", "! interpreted"},
        {"node=h type=SYSCALL msg=audit(15.05.2019 16:28:38.510:1684) : arch=x86_64", "! interpreted"},
    });
    CHECK(read("type=CWD msg=audit(1.002:3): a=b\0c"s) == "! nul-byte");
    CHECK(read("\0\0"s) == "! nul-byte");
}

TEST_CASE("a record's views show the line that was given") {
    const std::string line = "node=n type=CWD msg=audit(1.002:3): a=b\x1d"
                             "A=c";
    audit::Record record;
    Malformed reason{};
    REQUIRE(source::parse_line(line, record, reason));
    for (const auto view : {record.node, record.type_name, record.body, record.enriched}) {
        CHECK(view.data() >= line.data());
        CHECK(view.data() + view.size() <= line.data() + line.size());
    }
}
