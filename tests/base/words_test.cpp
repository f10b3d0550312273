#include "luatrail/base/words.hpp"

#include "support/catch.hpp"

using namespace luatrail::base;

using Texts = std::vector<std::string_view>;

TEST_CASE("a text is trimmed at both ends and nowhere else") {
    CHECK(trimmed(" \t\ra b\r\t ") == "a b");
    CHECK(trimmed("a") == "a");
    CHECK(trimmed(" \t\r").empty());
    CHECK(trimmed("").empty());
    CHECK(trimmed("\na\n") == "\na\n");
}

TEST_CASE("only ASCII is made lower case") {
    CHECK(lower("AZaz09-_") == "azaz09-_");
    CHECK(lower("\xc3\x84[@") == "\xc3\x84[@");
}

TEST_CASE("words are runs of what is no blank") {
    CHECK(words("  a\tbc  d ") == Texts{"a", "bc", "d"});
    CHECK(words("") == Texts{});
    CHECK(words(" \t ") == Texts{});
    CHECK(words(std::string_view("a\0b c", 5)) == Texts{std::string_view("a\0b", 3), "c"});
}

TEST_CASE("of more words than are asked for the last is the rest") {
    CHECK(words(" a  b  c d\r ", 3) == Texts{"a", "b", "c d"});
    CHECK(words("a b", 3) == Texts{"a", "b"});
    CHECK(words("a b ", 2) == Texts{"a", "b"});
    CHECK(words(" a b ", 1) == Texts{"a b"});
}

TEST_CASE("fields keep what is empty, full fields do not") {
    CHECK(fields(":a::b:", ':') == Texts{"", "a", "", "b", ""});
    CHECK(fields("", ':') == Texts{""});
    CHECK(fields("a", ':') == Texts{"a"});
    CHECK(fields("a, b,c, ", ", ") == Texts{"a", "b,c", ""});
    CHECK(full_fields(":a::b:", ':') == Texts{"a", "b"});
    CHECK(fields("a, b,c, ", ", ") == Texts{"a", "b,c", ""});
    CHECK(full_fields("::", ':') == Texts{});
}

TEST_CASE("lines are what ends, and what stands behind the last end") {
    CHECK(lines("a\n\nb\n") == Texts{"a", "", "b"});
    CHECK(lines("a\nb") == Texts{"a", "b"});
    CHECK(lines("\n") == Texts{""});
    CHECK(lines("") == Texts{});
    CHECK(lines(std::string_view("a\0\0b\0", 5), '\0') == Texts{"a", "", "b"}); // arguments, one of them empty
}

TEST_CASE("columns are counted in code points") {
    CHECK(columns("") == 0);
    CHECK(columns("abc") == 3);
    CHECK(columns("\xc3\xa4"
                  "bc") == 3);
    CHECK(columns("\xff\xfe") == 2); // each stray byte is shown as something
}

TEST_CASE("words are wrapped at the width") {
    const Texts pieces{"aaa", "bbb", "ccc"};
    CHECK(wrapped(pieces, {0, 2, 7, ""}) == "aaa bbb\n  ccc");
    CHECK(wrapped(pieces, {1, 2, 7, ""}) == "aaa\n  bbb\n  ccc");
    CHECK(wrapped(pieces, {0, 0, 80, ""}) == "aaa bbb ccc");
    CHECK(wrapped(pieces, {0, 0, 3, ""}) == "aaa\nbbb\nccc");
    CHECK(wrapped(pieces, {0, 0, 1, ""}) == "aaa\nbbb\nccc"); // whole, though wider than a line
    CHECK(wrapped(pieces, {0, 2, 9, " \\"}) == "aaa bbb \\\n  ccc");
    CHECK(wrapped({"a", "", "b"}, {0, 0, 80, ""}) == "a  b");
    CHECK(wrapped({}, {0, 0, 80, ""}).empty());
}
