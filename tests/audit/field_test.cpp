#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

#include "luatrail/audit/field.hpp"

using namespace luatrail::audit;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

constexpr RecordType type_syscall = 1300, type_path = 1302, type_execve = 1309, type_login = 1112, type_avc = 1400;

// "name=value" with a bar between; "!" behind what the end may have cut.
std::string fields_of(std::string_view text) {
    std::string shown;
    FieldReader reader(text);
    for (Field field; reader.next(field);) {
        shown.append(shown.empty() ? "" : " | ").append(field.name).append("=").append(field.value);
        shown.append(field.cut ? "!" : "");
        CHECK(field.code == name_code(field.name));
    }
    return shown;
}

std::optional<std::string_view> value_of(std::string_view text, std::string_view name) {
    FieldReader reader(text);
    for (Field field; reader.next(field);) {
        if (field.name == name) {
            return field.value;
        }
    }
    return std::nullopt;
}

struct Walk {
    std::string_view text, expected;
};

void check(const std::vector<Walk>& cases) {
    for (const auto& [text, expected] : cases) {
        CAPTURE(text);
        CHECK(fields_of(text) == expected);
    }
}

// Nothing is shown as "-", so that a text of one's own can't be taken for it.
std::string decoded(std::string_view value, bool cut = false) {
    std::string scratch;
    const auto text = decode_untrusted(value, scratch, cut);
    return text ? "'" + std::string(*text) + "'" : "-";
}

} // namespace

TEST_CASE("fields are separated by blanks, and a quoted or braced value runs to its end") {
    check({
        {"", ""},
        {"   ", ""},
        {"word", ""},
        {"a=1 b=2 ", "a=1 | b=2"},
        {"  a=1    b=2", "a=1 | b=2!"},
        {"a= b=2 ", "a= | b=2"},
        {"a=", "a="},
        {R"(name="a b" c=1 )", R"(name="a b" | c=1)"},
        {R"(name="" c=1 )", R"(name="" | c=1)"},
        {R"(name="it's" c=1 )", R"(name="it's" | c=1)"},
        {"d={ e=1 f } g=1 ", "d={ e=1 f } | g=1"},
        {"a1_len=4 a1[0]=61 a1[12]=62 ", "a1_len=4 | a1[0]=61 | a1[12]=62"},
        {"apparmor-profile=x ", "apparmor-profile=x"},
        {"pid=1, uid=2 ", "pid=1, | uid=2"},
        {"inode=7 nametype=NORMAL cap_fp=0 ", "inode=7 | nametype=NORMAL | cap_fp=0"},
    });
}

TEST_CASE("what is no field is skipped and costs no field behind it") {
    check({
        {"avc:  denied  { read } for  pid=1 comm=\"x\" ", "pid=1 | comm=\"x\""},
        {"=1 a=2 ", "a=2"},
        {"op start a=2 ", "a=2"},
        {"(enforce) a=2 ", "a=2"},
        {"\"quoted words\" a=2 ", "a=2"},
    });
}

TEST_CASE("a value that the end of its text may have cut is marked") {
    check({
        {"exe=2F75", "exe=2F75!"},
        {"exe=2F75 ", "exe=2F75"},
        {R"(exe="/usr/bin/l)", R"(exe="/usr/bin/l!)"},
        {R"(exe=")", R"(exe="!)"},
        {R"(exe="/usr/bin/lua")", R"(exe="/usr/bin/lua")"},
        {"SADDR={ saddr_fam=inet", "SADDR={ saddr_fam=inet!"},
        {"msg='op=x", "msg='op=x!"},
        {"key=(null)", "key=(null)"},
        {"key=(nul", "key=(nul!"},
    });
}

TEST_CASE("a quoted half of user space is one value, whose own fields are read in turn") {
    const auto text = R"(pid=7 uid=0 msg='op=login acct="ro ot" exe="/usr/sbin/sshd" addr=? res=success' x=1 )";
    const auto msg = value_of(text, "msg");
    REQUIRE(msg.has_value());
    CHECK(fields_of(unquoted(*msg).value()) ==
          R"(op=login | acct="ro ot" | exe="/usr/sbin/sshd" | addr=? | res=success!)");
    CHECK(value_of(text, "x") == "1");
}

TEST_CASE("a quoted value with blanks runs to the next quote") {
    check({{R"(info="same as current profile, skipping" error=-1 )",
            R"(info="same as current profile, skipping" | error=-1)"}});
}

TEST_CASE("names in capitals never stand for those in small letters") {
    const auto text = R"(auid=0 uid=33 AUID="root" UID="www-data" )";
    CHECK(fields_of(text) == R"(auid=0 | uid=33 | AUID="root" | UID="www-data")");
    CHECK(value_of(text, "auid") == "0");
    CHECK(name_code("auid") != name_code("AUID"));
}

TEST_CASE("an enriched half that lost its separator is still told apart") {
    check({
        {R"(key="test"ARCH=x86_64 SYSCALL=execve AUID="root" )",
         R"(key="test" | ARCH=x86_64 | SYSCALL=execve | AUID="root")"},
        {R"(key="test" ARCH=x86_64 )", R"(key="test" | ARCH=x86_64)"},
        {"key=(null)ARCH=x86_64 SYSCALL=execve ", "key=(null) | ARCH=x86_64 | SYSCALL=execve"},
        {"res=success'UID=\"root\" ", "res=success'UID=\"root\""},
    });
}

TEST_CASE("a brace block is one value, and the raw address beside it is kept") {
    check({
        {"saddr=0100 SADDR={ saddr_fam=local sockaddr len too short } x=1 ",
         "saddr=0100 | SADDR={ saddr_fam=local sockaddr len too short } | x=1"},
        {"SADDR={ saddr_fam=inet laddr=192.0.2.1 lport=80 }", "SADDR={ saddr_fam=inet laddr=192.0.2.1 lport=80 }"},
    });
}

TEST_CASE("two blanks separate as one does") {
    check({{"subj=unconfined  res=success ", "subj=unconfined | res=success"}});
}

TEST_CASE("what AppArmor writes as a subject costs no field behind it") {
    check({
        {"subj==unconfined key=(null)", "subj==unconfined | key=(null)"},
        {R"(subj==/usr/sbin/ntpd (enforce) key="k")", R"(subj==/usr/sbin/ntpd | key="k")"},
        {"subj=/{,usr/}sbin/dhclient key=(null)", "subj=/{,usr/}sbin/dhclient | key=(null)"},
        {R"(subj=/usr/sbin/cupsd (complain)  key="k")", R"(subj=/usr/sbin/cupsd | key="k")"},
    });
}

TEST_CASE("a name's code is the name, wherever in the text it stands") {
    CHECK(name_code("") == 0);
    CHECK(name_code("a") == 'a');
    CHECK(name_code("ab") == 'a' + 256 * 'b');
    CHECK(name_code("nametype") != 0);
    CHECK(name_code("nametypes") == 0);
    // fields_of() compares each field's code: short and long names, near the end and far from it.
    check({
        {"a=1", "a=1!"},
        {"nametype=1", "nametype=1!"},
        {"proctitle=1 x=1", "proctitle=1 | x=1!"},
        {"saddr_fam=1 success=yes a=1 ", "saddr_fam=1 | success=yes | a=1"},
    });
}

TEST_CASE("quoted is literal, unquoted is hex in capitals, and null values are nothing") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"("lua")", "'lua'"},
        {R"("")", "''"},
        {"\"(null)\"", "'(null)'"}, // a file may be called so
        {R"("?")", "'?'"},
        {"(null)", "-"},
        {"(none)", "-"},
        {"<too_long>", "-"},
        {"<no_memory>", "-"},
        {"\"<too_long>\"", "'<too_long>'"},
        {"?", "-"},
        {"", "''"},
        {"6C7561", "'lua'"},
        {"6C7561 ", "'6C7561 '"}, // no value of a reader
        {"2F746D702F6120622063", "'/tmp/a b c'"},
        {"FF80", "'\xff\x80'"},
        {"6C73002D6C61", "'ls\0-la'"s},
        {"3005", "'0\x05'"},
        {"DEADBEE", "'DEADBEE'"},
        {"6C75G1", "'6C75G1'"},
        {"top", "'top'"},
        {"bash", "'bash'"},
        {"x", "'x'"},
        {R"("open)", "'open'"},
        {R"(")", "''"},
        {"'single'", "''single''"},
        {"C3A9", "'\xc3\xa9'"},
    };
    for (const auto& [value, expected] : cases) {
        CAPTURE(value);
        CHECK(decoded(value) == expected);
    }
}

TEST_CASE("quoted digits are literal") {
    CHECK(decoded(R"("3005")") == "'3005'");
}

TEST_CASE("quoted hex is literal, and so is hex in small letters") {
    CHECK(decoded(R"("deadbeef")") == "'deadbeef'");
    CHECK(decoded(R"("DEADBEEF")") == "'DEADBEEF'");
    CHECK(decoded("deadbeef") == "'deadbeef'");
    CHECK(decoded("6c7561") == "'6c7561'");
    CHECK(decoded("6C75aB") == "'6C75aB'");
}

TEST_CASE("hex that its record's end cut in the middle of a byte gives the whole bytes") {
    CHECK(decoded("6C756", true) == "'lu'");
    CHECK(decoded("6C75", true) == "'lu'");
    CHECK(decoded("6C756", false) == "'6C756'");
    CHECK(decoded("luatr", true) == "'luatr'");
    CHECK(decoded("6C75G", true) == "'6C75G'");
}

TEST_CASE("an executable that was deleted or is memory arrives as hex") {
    CHECK(decoded("2F7573722F62696E2F707974686F6E322E373B3538643163636662202864656C6574656429") ==
          "'/usr/bin/python2.7;58d1ccfb (deleted)'");
    CHECK(decoded("2F6D656D66643A78202864656C6574656429") == "'/memfd:x (deleted)'");
}

TEST_CASE("a quoted string is a view of the record, a decoded one of the scratch buffer") {
    std::string scratch;
    const auto quoted = R"("lua")"sv;
    CHECK(decode_untrusted(quoted, scratch)->data() == quoted.data() + 1);
    CHECK(decode_untrusted("6C7561", scratch)->data() == scratch.data());
}

TEST_CASE("how a value is written goes by record type and name, never by its looks") {
    struct Row {
        RecordType type;
        std::string_view field;
        Encoding expected;
    };
    const std::vector<Row> rows = {
        {type_execve, "a0", Encoding::untrusted},
        {type_execve, "a17", Encoding::untrusted},
        {type_execve, "a3[2]", Encoding::untrusted},
        {type_execve, "argc", Encoding::number},
        {type_syscall, "a0", Encoding::hex_number},
        {type_syscall, "a3", Encoding::hex_number},
        {type_syscall, "arch", Encoding::hex_number},
        {type_syscall, "syscall", Encoding::number},
        {type_syscall, "exit", Encoding::number},
        {type_syscall, "auid", Encoding::number},
        {type_syscall, "ses", Encoding::number},
        {type_syscall, "success", Encoding::text},
        {type_syscall, "comm", Encoding::untrusted},
        {type_syscall, "exe", Encoding::untrusted},
        {type_syscall, "key", Encoding::key},
        {type_syscall, "tty", Encoding::text},
        {type_syscall, "subj", Encoding::text},
        {1327, "proctitle", Encoding::proctitle},
        {1307, "cwd", Encoding::untrusted},
        {type_path, "name", Encoding::untrusted},
        {type_path, "dev", Encoding::device},
        {type_path, "rdev", Encoding::device},
        {type_path, "mode", Encoding::octal},
        {type_path, "inode", Encoding::number},
        {type_path, "item", Encoding::number},
        {type_path, "nametype", Encoding::text},
        {type_avc, "dev", Encoding::text}, // a device's name, "dm-0"
        {type_avc, "path", Encoding::untrusted},
        {type_login, "acct", Encoding::untrusted},
        {type_login, "uid", Encoding::number},
        {1123, "cmd", Encoding::untrusted},
        {type_login, "addr", Encoding::text},
    };
    for (const auto& [type, field, expected] : rows) {
        CAPTURE(type, field);
        CHECK(encoding_of(type, field) == expected);
    }
}

TEST_CASE("digits of an even number are hex in no field but an untrusted string") {
    CHECK(encoding_of(type_login, "uid") == Encoding::number);
    CHECK(encoding_of(type_login, "id") == Encoding::text);
    CHECK(encoding_of(type_login, "msg") == Encoding::text);
    CHECK(parse_decimal("1000") == 1000);
}

TEST_CASE("a SYSCALL record's arguments are numbers") {
    CHECK(encoding_of(type_syscall, "a0") == Encoding::hex_number);
    CHECK(parse_hex("55df330a3c10") == 0x55df330a3c10);
}

TEST_CASE("quotes of either kind are taken off a literal, in pairs only") {
    const std::vector<std::pair<std::string_view, std::string_view>> cases = {
        {R"("root")", "root"},      {"'root'", "root"}, {"root", "root"}, {R"("root)", R"("root)"},
        {R"("root')", R"("root')"}, {R"("")", ""},      {R"(")", R"(")"}, {"", ""},
    };
    for (const auto& [value, expected] : cases) {
        CAPTURE(value);
        CHECK(unquoted(value) == expected);
    }
    for (const auto nothing : {"(null)", "(none)", "?"}) {
        CHECK(unquoted(nothing) == std::nullopt);
    }
}

TEST_CASE("a number counts only when the whole text is one and fits") {
    const std::vector<std::pair<std::string_view, std::optional<std::int64_t>>> decimals = {
        {"0", 0},
        {"-2", -2},
        {"4294967295", 4294967295},
        {"9223372036854775807", INT64_MAX},
        {"007", 7},
        {"", std::nullopt},
        {"-", std::nullopt},
        {"9223372036854775808", std::nullopt},
        {"1x", std::nullopt},
        {" 1", std::nullopt},
        {"+1", std::nullopt},
        {"0x10", std::nullopt},
    };
    for (const auto& [text, expected] : decimals) {
        CAPTURE(text);
        CHECK(parse_decimal(text) == expected);
    }
    const std::vector<std::pair<std::string_view, std::optional<std::uint64_t>>> hexes = {
        {"0", 0},
        {"c000003e", 0xc000003e},
        {"C000003E", 0xc000003e},
        {"0x50000", 0x50000},
        {"", std::nullopt},
        {"ffffffffffffff9c", -100ULL},
        {"x86_64", std::nullopt},
        {"10000000000000000", std::nullopt},
        {"1g", std::nullopt},
        {"-1", std::nullopt},
        {"0x", std::nullopt},
    };
    for (const auto& [text, expected] : hexes) {
        CAPTURE(text);
        CHECK(parse_hex(text) == expected);
    }
}

TEST_CASE("whatever the text, its fields lie in it one behind the other and end") {
    std::mt19937 random(7);
    const std::string_view alphabet = "aA0_[]=\"'{} (null)\x1d\xff\0="sv;
    for (int round = 0; round < 20000; ++round) {
        std::string text(random() % 40, ' ');
        for (auto& c : text) {
            c = alphabet[random() % alphabet.size()];
        }
        CAPTURE(text);
        FieldReader reader(text);
        const char* at = text.data();
        std::string scratch;
        for (Field field; reader.next(field);) {
            REQUIRE(field.name.data() >= at);
            REQUIRE(!field.name.empty());
            REQUIRE(field.value.data() == field.name.data() + field.name.size() + 1);
            at = field.value.data() + field.value.size();
            REQUIRE(at <= text.data() + text.size());
            decode_untrusted(field.value, scratch, field.cut);
        }
    }
}
