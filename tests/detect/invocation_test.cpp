#include "luatrail/detect/invocation.hpp"

#include <algorithm>
#include <numeric>

#include "support/catch.hpp"
#include "support/table.hpp"

namespace luatrail::detect::invocation_test {
namespace {

struct CommandLine {
    std::vector<std::string> argv;
    std::vector<std::size_t> missing;
    bool truncated = false;
    bool terminal = false;
    std::vector<std::size_t> cut{}, headless{};

    Arguments arguments() const { return {argv, missing, truncated, terminal, cut, headless}; }
};

std::string unescape(std::string word) {
    for (const auto& [written, meant] : {std::pair{"\\s", " "}, std::pair{"\\n", "\n"}}) {
        for (auto at = word.find(written); at != std::string::npos; at = word.find(written)) {
            word.replace(at, 2, meant);
        }
    }
    return word;
}

CommandLine read_command_line(const std::string& cell) {
    CommandLine made;
    for (const auto& word : test::split(cell, " ")) {
        if (word == "TTY") {
            made.terminal = true;
        } else if (word == "...") {
            made.truncated = true;
        } else if (word == "?") {
            made.missing.push_back(made.argv.size());
            made.argv.emplace_back();
        } else if (word.starts_with("...")) {
            made.truncated = true;
            made.headless.push_back(made.argv.size());
            made.argv.push_back(unescape(word.substr(3)));
        } else if (word.ends_with("...")) {
            made.truncated = true;
            made.cut.push_back(made.argv.size());
            made.argv.push_back(unescape(word.substr(0, word.size() - 3)));
        } else {
            made.argv.push_back(word == "''" ? "" : unescape(word));
        }
    }
    return made;
}

std::string describe(const Invocation& run) {
    std::string text = run.runs_code ? std::string(to_string(run.origin)) : "nothing";
    if (run.script) {
        text += "@" + std::to_string(run.script_index.value()) + "=" + *run.script;
    }
    if (run.inline_text) {
        text += " code=" + *run.inline_text;
    }
    const auto list = [&text](std::string_view name, const std::vector<std::string>& words) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            text.append(i == 0 ? name : ",").append(words[i]);
        }
    };
    list(" modules=", run.modules);
    list(" more=", run.more_scripts);
    list(" sourced=", run.sourced);
    list(" or=", run.script_elsewhere);
    text += run.reads_stdin ? " reads-stdin" : "";
    text += run.uncertain ? " uncertain" : "";
    return text;
}

const Profile& find_profile(const ProfileSet& set, std::string_view name) {
    const auto all = set.all();
    const auto found = std::find_if(all.begin(), all.end(), [&name](const Profile& p) { return p.name == name; });
    if (found == all.end()) {
        throw std::runtime_error("no profile " + std::string(name));
    }
    return *found;
}

TEST_CASE("each command line of the table runs what the real program would run") {
    const auto set = ProfileSet::builtin();
    for (const auto& row : test::read_table("detect/data/invocations.txt", 3)) {
        const auto line = read_command_line(row.cells[1]);
        INFO("line " << row.line << ": " << row.cells[1]);
        CHECK(describe(parse_invocation(find_profile(set, row.cells[0]), line.arguments())) == unescape(row.cells[2]));
    }
}

TEST_CASE("an exec with argc=0 reads standard input") {
    const auto set = ProfileSet::builtin();
    const auto& lua = find_profile(set, "lua");
    CHECK(describe(parse_invocation(lua, {})) == "stdin reads-stdin");
    CHECK(describe(parse_invocation(lua, {{}, {}, false, true})) == "interactive reads-stdin");
    CHECK(describe(parse_invocation(find_profile(set, "texlua"), {})) == "nothing");
}

TEST_CASE("a missing index beyond argv means that arguments were cut off") {
    const auto set = ProfileSet::builtin();
    const std::vector<std::string> argv{"lua"};
    const std::vector<std::size_t> missing{static_cast<std::size_t>(-1)};
    CHECK(describe(parse_invocation(find_profile(set, "lua"), {argv, missing, false, false})) == "unknown uncertain");
}

TEST_CASE("a host program runs Lua only where an option says so") {
    ProfileSet set;
    set.load_text(R"(
schema = 1
[grammar.editor]
requires_script_option = true
ignores_unknown = true
options = [
  { option = "-l", role = "script", last = true },
  { option = "--lua-exec", role = "script" },
  { option = "--help", role = "exit" },
  { option = "-u", role = "value" },
]
[[profile]]
name = "editor"
grammar = "editor"
exe = ["editor"]
)",
                  "test");
    const auto& editor = find_profile(set, "editor");
    const auto parsed = [&editor](std::vector<std::string> argv) {
        return describe(parse_invocation(editor, {argv, {}, false, false}));
    };
    CHECK(parsed({"editor", "notes.lua"}) == "nothing");
    CHECK(parsed({"editor"}) == "nothing");
    CHECK(parsed({"editor", "-u", "NONE", "-l", "x.lua", "--help"}) == "script@4=x.lua");
    CHECK(parsed({"editor", "-u", "-l", "x.lua"}) == "nothing");
    CHECK(parsed({"editor", "host", "80", "--lua-exec=x.lua"}) == "script@3=x.lua");
    CHECK(parsed({"editor", "--lua-exec", "/dev/fd/3", "host"}) == "descriptor@2=/dev/fd/3");
    CHECK(parsed({"editor", "--help", "-l", "x.lua"}) == "nothing");
    CHECK(parsed({"editor", "-l"}) == "nothing");
}

TEST_CASE("huge and odd command lines are read in time that grows with their length") {
    const auto set = ProfileSet::builtin();
    const std::string huge(1 << 20U, 'x');
    std::vector<std::string> many(50'000, "-e");
    std::vector<std::size_t> all_missing(many.size());
    std::iota(all_missing.begin(), all_missing.end(), std::size_t{0});
    for (const auto& profile : set.all()) {
        INFO(profile.name);
        const std::vector<std::string> long_words{"lua", "-" + huge, "--" + huge + "=" + huge, huge,
                                                  std::string("\0\xff-", 3)};
        CHECK_NOTHROW(parse_invocation(profile, {long_words, {}, false, false}));
        CHECK_NOTHROW(parse_invocation(profile, {many, {}, false, false}));
        // Without any word there is nothing that could be named; but a program that needs its script named stays
        // silent.
        CHECK(parse_invocation(profile, {many, all_missing, true, false}).uncertain);
    }
}

} // namespace
} // namespace luatrail::detect::invocation_test
