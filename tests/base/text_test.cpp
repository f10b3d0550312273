#include "luatrail/base/text.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace luatrail::base;
using namespace std::string_literals;

namespace {

struct Case {
    std::string bytes, expected;
};

} // namespace

TEST_CASE("UTF-8 is what RFC 3629 allows and nothing else") {
    for (const auto& good : {""s, "abc"s, "\0"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
                             "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
        CAPTURE(to_hex(good));
        CHECK(is_utf8(good));
        CHECK(to_utf8(good) == good);
    }
    for (const auto& bad :
         {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc2"s, "\xc2\x20"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s,
          "\xe1\x80"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s, "ok\xfe"s}) {
        CAPTURE(to_hex(bad));
        CHECK_FALSE(is_utf8(bad));
        CHECK(is_utf8(to_utf8(bad)));
    }
}

TEST_CASE("each maximal invalid subpart becomes one replacement character") {
    const std::string r = "\xef\xbf\xbd";
    // Unicode 15, section 3.9, tables 3-8 to 3-11, and ends of input.
    for (const auto& [bytes, expected] :
         std::vector<Case>{{"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", r + r + r + r + r + r + r + r + "A"},
                           {"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", r + r + r + r + r + r + r + r + "A"},
                           {"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", r + r + r + r + r + "A" + r + r + "B"},
                           {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", r + r + r + r + "A"},
                           {"a\xe2\x82", "a" + r},
                           {"a\xf0\x9f\x98", "a" + r},
                           {"\xe2\x82\xe2\x82\xac", r + "\xe2\x82\xac"}}) {
        CAPTURE(to_hex(bytes));
        CHECK(to_utf8(bytes) == expected);
    }
}

TEST_CASE("hex is two lower-case digits a byte") {
    CHECK(to_hex("") == "");
    CHECK(to_hex("\x00\x0f\xa0\xff"s) == "000fa0ff");
}

TEST_CASE("printable text shows what hides, and leaves the rest") {
    for (const auto& [bytes, expected] :
         std::vector<Case>{{"plain, with \\ and \" and '", "plain, with \\ and \" and '"},
                           {"\n\r\t", R"(\n\r\t)"},
                           {"\0\x01\x1b[2J\x7f"s, R"(\x00\x01\x1b[2J\x7f)"},
                           {"\xc2\x9b"
                            "31m",
                            R"(\u009b31m)"},
                           {"\xe2\x80\xae gpj.exe", R"(\u202e gpj.exe)"},
                           {"\xe2\x81\xa6\xe2\x81\xa9", R"(\u2066\u2069)"},
                           {"a\xe2\x80\x8b"
                            "b\xef\xbb\xbf",
                            R"(a\u200bb\ufeff)"},
                           {"\xe2\x80\xa8", R"(\u2028)"},
                           {"\xf3\xa0\x81\x81", R"(\U000e0041)"},
                           {"\xf0\x9f\xbf\xbf", R"(\U0001ffff)"},
                           {"\xff\xc3", R"(\xff\xc3)"},
                           {"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80",
                            "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80"}}) {
        CHECK(printable(bytes) == expected);
    }
}

TEST_CASE("no bytes make printable text that hides something") {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            const std::string bytes = {static_cast<char>(first), static_cast<char>(second), '\x80', '\xae'};
            const auto text = printable(bytes);
            bool clean = true;
            for (std::size_t at = 0; at < text.size();) {
                const auto step = utf8_step(text, at);
                clean = clean && step.valid && !hides(step.character);
                at += step.length;
            }
            if (!clean) {
                FAIL(to_hex(bytes) << " came out as " << to_hex(text));
            }
        }
    }
    SUCCEED("all of them");
}

TEST_CASE("hiding characters are told from those beside them") {
    for (const char32_t hidden :
         {0x0U,    0x1fU,   0x7fU,   0x9fU,   0xadU,   0x61cU,  0x200bU, 0x200fU,  0x2028U,  0x202eU,
          0x2060U, 0x2069U, 0x3164U, 0xfe0fU, 0xfeffU, 0xfffeU, 0xffffU, 0x1fffeU, 0xe0001U, 0x10ffffU}) {
        CAPTURE(static_cast<std::uint32_t>(hidden));
        CHECK(hides(hidden));
    }
    for (const char32_t shown : {0x20U, 0x7eU, 0xa0U, 0xacU, 0xaeU, 0x200aU, 0x2010U, 0x2027U, 0x202fU, 0x205fU,
                                 0x2070U, 0xfffdU, 0x110beU, 0x1f600U, 0x10fffdU}) {
        CAPTURE(static_cast<std::uint32_t>(shown));
        CHECK_FALSE(hides(shown));
    }
}

TEST_CASE("a word of a command line is quoted only where a shell needs it") {
    for (const auto& [argument, expected] : std::vector<Case>{{"lua5.4", "lua5.4"},
                                                              {"--out=/tmp/x:y,z%+@_-", "--out=/tmp/x:y,z%+@_-"},
                                                              {"", "''"},
                                                              {"a b", "'a b'"},
                                                              {"$(id)", "'$(id)'"},
                                                              {"it's", R"('it'\''s')"},
                                                              {R"(back\slash)", R"('back\slash')"},
                                                              {"~", "'~'"},
                                                              {"\xc3\xbc", "'\xc3\xbc'"},
                                                              {"a\nb", R"($'a\nb')"},
                                                              {"it's\\\x1b", R"($'it\'s\\\x1b')"},
                                                              {"\xff", R"($'\xff')"}}) {
        CHECK(shell_quoted(argument) == expected);
    }
}

TEST_CASE("bash reads a quoted word back as the bytes it was made from") {
    if (std::system("command -v bash >/dev/null") != 0) {
        WARN("no bash");
        return;
    }
    std::string all; // every byte but NUL, which no argument can hold; each between letters and before a hex digit
    for (int byte = 1; byte < 256; ++byte) {
        all += static_cast<char>(byte);
        all += 'a';
    }
    for (const auto& word : {all, "\xe2\x80\xae'\\ \xf3\xa0\x81\x81"s, "two  blanks 'and' \"quotes\""s}) {
        const auto quoted = shell_quoted(word);
        const auto script = "export LC_ALL=C.UTF-8; printf %s " + quoted + " | od -An -v -tx1 | tr -d ' \\n'";
        const std::string file = std::string(LUATRAIL_BINARY_DIR) + "/quoted.bash";
        FILE* out = std::fopen(file.c_str(), "w");
        REQUIRE(out != nullptr);
        std::fputs(script.c_str(), out);
        std::fclose(out);
        FILE* pipe = ::popen(("LC_ALL=C.UTF-8 bash '" + file + "'").c_str(), "r");
        REQUIRE(pipe != nullptr);
        std::string hex(2 * all.size() + 100, '\0');
        hex.resize(std::fread(hex.data(), 1, hex.size(), pipe));
        ::pclose(pipe);
        std::remove(file.c_str());
        CHECK(hex == to_hex(word));
    }
}

TEST_CASE("a path's base name is its last component") {
    for (const auto& [path, expected] : std::vector<Case>{
             {"", ""}, {"/", ""}, {"//", ""}, {"lua", "lua"}, {"/usr/bin/lua", "lua"}, {"/a/b//", "b"}, {"./u", "u"}}) {
        CAPTURE(path);
        CHECK(basename(path) == expected);
    }
}
