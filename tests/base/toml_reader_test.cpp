#include "luatrail/base/toml_reader.hpp"

#include <unistd.h>

#include "luatrail/base/error.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace luatrail::base {
namespace {

template <class Action>
std::string error_of(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST_CASE("values of every kind are read") {
    const auto file =
        TomlTable::from_text("text = \"a\"\nyes = true\nnumber = -3\nday = 1970-01-02\nlist = [\"x\", \"y\"]\n"
                             "[inner]\nkey = \"b\"\n[[row]]\nn = 1\n[[row]]\nn = 2\n",
                             "f.toml");
    CHECK(file.text("text") == "a");
    CHECK(file.boolean("yes") == true);
    CHECK(file.integer("number") == -3);
    CHECK(file.date_ms("day") == 86'400'000);
    CHECK(file.texts("list") == std::vector<std::string>{"x", "y"});
    CHECK(file.table("inner")->text("key") == "b");
    CHECK(file.tables("row").size() == 2);
    CHECK(file.tables("row")[1].integer("n") == 2);
    CHECK(file.tables("row")[1].where() == "f.toml:10:1");
    CHECK(file.required_text("text") == "a");
    CHECK(file.has("text"));
    CHECK_FALSE(file.has("texts"));
    CHECK_FALSE(file.text("absent"));
    CHECK_FALSE(file.texts("absent"));
    CHECK_FALSE(file.table("absent"));
    CHECK(file.tables("absent").empty());
}

TEST_CASE("days before 1970 and leap days are days") {
    const auto file = TomlTable::from_text("a = 1969-12-31\nb = 2024-02-29", "f.toml");
    CHECK(file.date_ms("a") == -86'400'000);
    CHECK(file.date_ms("b") == 1'709'164'800'000);
}

TEST_CASE("a wrong type names both types and the value's place") {
    const auto file = TomlTable::from_text("s = \"a\"\ni = 3\nf = 1.5\nl = [1]\nt = {}\nd = 2027-01-01\nz = 10:00:00\n"
                                           "o = 2027-01-01T10:00:00Z\nb = true",
                                           "f.toml");
    CHECK(error_of([&] { file.text("i"); }) == "f.toml:2:5: i: expected string, found integer");
    CHECK(error_of([&] { file.integer("s"); }) == "f.toml:1:5: s: expected integer, found string");
    CHECK(error_of([&] { file.integer("f"); }) == "f.toml:3:5: f: expected integer, found float");
    CHECK(error_of([&] { file.boolean("l"); }) == "f.toml:4:5: l: expected boolean, found array");
    CHECK(error_of([&] { file.texts("l"); }) == "f.toml:4:6: l: expected string, found integer");
    CHECK(error_of([&] { file.texts("s"); }) == "f.toml:1:5: s: expected array of strings, found string");
    CHECK(error_of([&] { file.tables("l"); }) == "f.toml:4:6: l: expected table, found integer");
    CHECK(error_of([&] { file.text("t"); }) == "f.toml:5:5: t: expected string, found table");
    CHECK(error_of([&] { file.text("d"); }) == "f.toml:6:5: d: expected string, found date");
    CHECK(error_of([&] { file.text("z"); }) == "f.toml:7:5: z: expected string, found time");
    CHECK(error_of([&] { file.text("o"); }) == "f.toml:8:5: o: expected string, found date-time");
    CHECK(error_of([&] { file.table("b"); }) == "f.toml:9:5: b: expected table, found boolean");
    CHECK(error_of([&] { file.named_tables(); }).find("expected table, found") != std::string::npos);
}

TEST_CASE("keys are named with the tables that they stand in") {
    const auto file = TomlTable::from_text("[a.b]\nc = 1\n", "f.toml");
    const auto inner = file.table("a")->table("b");
    CHECK(error_of([&] { inner->text("c"); }) == "f.toml:2:5: a.b.c: expected string, found integer");
    CHECK(error_of([&] { inner->required_text("d"); }) == "f.toml:1:1: a.b.d: missing; it is required here");
    CHECK(error_of([&] { inner->allow_only({"d"}); }) == "f.toml:2:1: a.b.c: unknown key; did you mean `d`?");
}

TEST_CASE("an unknown key is answered with the nearest valid one, or with all") {
    CHECK(suggestion("windwo", {"window", "memory"}) == "did you mean `window`?");
    CHECK(suggestion("Window", {"window", "memory"}) == "did you mean `window`?");
    CHECK(suggestion("min-severity", {"baseline", "min_severity"}) == "did you mean `min_severity`?");
    CHECK(suggestion("zzz", {"window", "memory"}) == "known here: window, memory");
    CHECK(suggestion(std::string(1'000'000, 'w'), {"window"}) == "known here: window");
    CHECK(suggestion("", {"window"}) == "known here: window");
}

TEST_CASE("text that is no TOML is an error with its place") {
    const auto error = [](std::string_view text) { return error_of([&] { TomlTable::from_text(text, "f.toml"); }); };
    CHECK(error("a = \n").find("f.toml:1:5: syntax: ") == 0);
    CHECK(error("x = 1\na = [1,\n") == "f.toml:2:9: syntax: Error while parsing array: encountered end-of-file");
    CHECK(error("a = 1\na = 2\n").find("f.toml:2:") == 0);
    CHECK(error(std::string_view("a = \"\0\"", 7)).find("f.toml:1:") == 0);
    CHECK(error("a = \"\xff\"").find("f.toml:1:") == 0);
    CHECK(error("\x1b[31m").find("f.toml:1:1: ") == 0);
    CHECK(error(std::string(200'000, '[')).find("f.toml:1:") == 0);
}

TEST_CASE("a byte order mark and CRLF do no harm") {
    CHECK(TomlTable::from_text("\xef\xbb\xbf"
                               "a = \"b\"\r\nc = \"d\"\r\n",
                               "f.toml")
              .text("c") == "d");
}

TEST_CASE("a file that cannot be read is named with reason and remedy") {
    const test::TempDir dir;
    const auto error = [](const std::string& path) { return error_of([&] { TomlTable::from_file(path); }); };
    CHECK(error(dir.path("none.toml")) == dir.path("none.toml") + ": No such file or directory; check the path");
    CHECK(error(dir.path()) == dir.path() + ": Is a directory; give a file, or a pattern such as DIR/*.toml");
    const auto file = dir.write("a.toml", "a = \"b\"");
    CHECK(TomlTable::from_file(file).text("a") == "b");
    CHECK(error(file + "/x") == file + "/x: Not a directory; check the path");
    if (::geteuid() != 0) {
        std::filesystem::permissions(file, std::filesystem::perms::none);
        CHECK(error(file) == file + ": Permission denied; run as root or as a user who may read it");
    }
    CHECK(error("/dev/zero") == "/dev/zero: larger than 16 MiB; give a TOML file");
}

TEST_CASE("a file that everybody may write is refused") {
    const test::TempDir dir;
    const auto file = dir.write("a.toml", "a = 1");
    std::filesystem::permissions(file, std::filesystem::perms(0666));
    CHECK(error_of([&] { TomlTable::from_file(file); }) ==
          file + ": everybody may write it, and who writes it decides what is reported; review it, then: chmod o-w " +
              file);
    std::filesystem::permissions(file, std::filesystem::perms(0664));
    CHECK(TomlTable::from_file(file).integer("a") == 1);
}

TEST_CASE("with a list of errors all are collected, and wrong keys are as if absent") {
    TomlErrors errors;
    const auto file = TomlTable::from_text("a = 1\nb = \"x\"\n", "f.toml", &errors);
    CHECK_FALSE(file.text("a"));
    CHECK_FALSE(file.integer("b"));
    CHECK(file.required_text("c").empty());
    file.allow_only({"a"});
    CHECK(errors ==
          TomlErrors{"f.toml:1:5: a: expected string, found integer", "f.toml:2:5: b: expected integer, found string",
                     "f.toml:1:1: c: missing; it is required here", "f.toml:2:1: b: unknown key; did you mean `a`?"});

    errors.clear();
    CHECK_FALSE(TomlTable::from_text("a = ", "f.toml", &errors).has("a"));
    CHECK(errors.size() == 1);

    errors.clear();
    CHECK_FALSE(TomlTable::from_file("/nonexistent/f.toml", &errors).has("a"));
    CHECK(errors == TomlErrors{"/nonexistent/f.toml: No such file or directory; check the path"});
}

TEST_CASE("a table keeps its document alive") {
    std::optional<TomlTable> inner;
    {
        const auto file = TomlTable::from_text("[a]\nb = \"c\"", "f.toml");
        inner = file.table("a");
    }
    CHECK(inner->text("b") == "c");
}

} // namespace
} // namespace luatrail::base
