#include "luatrail/detect/profiles.hpp"

#include <algorithm>

#include "luatrail/base/error.hpp"
#include "luatrail/base/glob.hpp"
#include "support/catch.hpp"
#include "support/table.hpp"

namespace luatrail::detect::profiles_test {
namespace {

std::string cell(const std::string& text) {
    return text == "''" ? "" : text;
}

TEST_CASE("each program of the table is known by its profile, or not at all") {
    const auto set = ProfileSet::builtin();
    for (const auto& row : test::read_table("detect/data/programs.txt", 3)) {
        INFO("line " << row.line);
        const auto match = set.match(cell(row.cells[0]), cell(row.cells[1]));
        const std::string found =
            match.profile == nullptr ? "none" : match.profile->name + " by " + std::string(to_string(match.by));
        CHECK(found == row.cells[2]);
    }
}

std::string error_of(std::string_view toml) {
    ProfileSet set;
    try {
        set.load_text(toml, "p.toml");
    } catch (const base::Error& error) {
        return error.what();
    }
    return "loaded";
}

TEST_CASE("a wrong profile file is refused with place, key and remedy") {
    CHECK(error_of("") == "p.toml:1:1: schema: schema = 1 is required");
    CHECK(error_of("schema = 2") == "p.toml:1:10: schema: schema = 1 is required");
    CHECK(error_of("schema = 1\nprofiles = 3") == "p.toml:2:1: profiles: unknown key; did you mean `profile`?");
    CHECK(error_of("schema = 1\n[[profile]]\nname = \"x\"\nexe = [\"x\"]") ==
          "p.toml:2:1: profile.grammar: missing; it is required here");
    CHECK(error_of("schema = 1\n[grammar.gram]\n[[profile]]\nname = \"x\"\nexe = [\"x\"]\ngrammar = \"grim\"") ==
          "p.toml:6:11: profile.grammar: unknown grammar `grim`; did you mean `gram`?");
    CHECK(error_of("schema = 1\n[grammar.g]\n[[profile]]\nname = \"x\"\ngrammar = \"g\"") ==
          "p.toml:3:1: profile.exe: at least one glob on the program's name is required");
    CHECK(error_of("schema = 1\n[grammar.g]\noptions = [{ option = \"-e\", role = \"inlin\" }]") ==
          "p.toml:3:36: grammar.g.options.role: unknown role `inlin`; did you mean `inline`?");
    CHECK(
        error_of("schema = 1\n[grammar.g]\noptions = [{ option = \"-\", role = \"inline\" }]") ==
        "p.toml:3:23: grammar.g.options.option: an option is a dash or a plus and a name (\"-e\", \"--luaonly\"), or a "
        "word");
    CHECK(error_of("schema = 1\n[grammar.g]\nextends = \"h\"\n[grammar.h]\nextends = \"g\"") ==
          "p.toml:3:11: grammar.g.extends: no grammar `h`, or one that extends this one again");
    CHECK(error_of("schema = 1\n[grammar.g]\nextends = \"g\"") ==
          "p.toml:3:11: grammar.g.extends: no grammar `g`, or one that extends this one again");
    CHECK(error_of("schema = 1\n[grammar.g]\nvalues = [\"-\"]") ==
          "p.toml:3:10: grammar.g.values: an option is a dash or a plus and a name (\"-e\", \"--luaonly\"), or a word");
    CHECK(error_of("schema = 1\n[grammar.g]\noptions = [{ option = \"-j\", role = \"module\", becomes = \"*.*\" }]") ==
          "p.toml:3:56: grammar.g.options.becomes: one * stands for the value (\"jit.*\", \"*/main.lua\")");
    CHECK(error_of("schema = 1\n[grammar.g]\ncommands = [{ command = \"lua[\", role = \"inline\" }]") ==
          "p.toml:3:25: grammar.g.commands.command: a command is a name, of which the end may stand in brackets "
          "(\"luaf[ile]\")");
    CHECK(error_of("schema = 1\n[[loader]]\nvalues = [\"-L\"]") ==
          "p.toml:2:1: loader.exe: at least one glob on the program's name is required");
    CHECK(error_of("schema = 1\n[[loader]]\nexe = [\"x\"]\nargs = 1") ==
          "p.toml:4:1: loader.args: unknown key; known here: exe, values, ends, argv0_follows");
    CHECK(error_of("schema = 1\n[grammar.g]\nlong_options = 1") ==
          "p.toml:3:16: grammar.g.long_options: expected boolean, found integer");
}

TEST_CASE("a file adds profiles and replaces those of the same name; a wrong one changes nothing") {
    auto set = ProfileSet::builtin();
    const auto before = set.all().size();
    set.load_text("schema = 1\n[[profile]]\nname = \"elua\"\ngrammar = \"luajit\"\nexe = [\"elua\"]", "a.toml");
    CHECK(set.all().size() == before + 1);
    CHECK(set.match("/usr/bin/elua", "elua").profile->name == "elua");

    set.load_text("schema = 1\n[[profile]]\nname = \"lua\"\ngrammar = \"lua\"\nexe = [\"moon\"]", "b.toml");
    CHECK(set.all().size() == before + 1);
    CHECK(set.match("/usr/bin/lua5.4", "lua").profile == nullptr);
    CHECK(set.match("/usr/bin/moon", "lua").profile->name == "lua");

    CHECK_THROWS_AS(set.load_text("schema = 1\n[[profile]]\nname = \"lua\"\ngrammar = \"lua\"\nexe = [\"sun\"]\n"
                                  "[[profile]]\nname = \"y\"\ngrammar = \"none\"\nexe = [\"y\"]",
                                  "c.toml"),
                    base::Error);
    CHECK(set.match("/usr/bin/moon", "lua").profile->name == "lua");
    CHECK(set.match("/usr/bin/sun", "lua").profile == nullptr);
}

TEST_CASE("loaders are those of the table and those that a file lists") {
    auto set = ProfileSet::builtin();
    REQUIRE(set.loader("/usr/bin/qemu-arm") != nullptr);
    CHECK(set.loader("/usr/bin/qemu-arm")->argv0_follows);
    CHECK(set.is(ProgramKind::loader, "/usr/libexec/valgrind/memcheck-amd64-linux"));
    CHECK(set.kind_of("/lib64/ld-linux-x86-64.so.2 (deleted)") == ProgramKind::loader);
    for (const auto* other :
         {"/usr/bin/qemu-img", "/usr/bin/qemu-system-x86_64", "/usr/bin/valgrind", "/usr/bin/lua5.4"}) {
        INFO(other);
        CHECK(set.loader(other) == nullptr);
    }
    set.load_text("schema = 1\n[programs]\nloader = [\"runit\"]\n[[loader]]\nexe = [\"emu\"]\nvalues = [\"-x\"]",
                  "a.toml");
    CHECK(set.is(ProgramKind::loader, "/opt/runit"));
    CHECK(set.loader("/opt/emu")->values == std::vector<std::string>{"-x"});
    CHECK(set.is(ProgramKind::loader, "/lib/ld-musl-x86_64.so.1"));
}

TEST_CASE("every profile says what it runs where it is not an interpreter, and a program has one profile by its path") {
    const auto set = ProfileSet::builtin();
    for (const auto& profile : set.all()) {
        INFO(profile.name);
        CHECK((profile.startup.empty() || !profile.loads.empty()));
        for (const auto& exe : profile.exe) {
            const auto match = set.match("/usr/bin/" + exe, "");
            if (profile.argv0.empty() && profile.argv1.empty() && exe.find_first_of("*?[/") == std::string::npos) {
                CHECK(match.profile == &profile);
            }
        }
    }
}

TEST_CASE("an editor runs by itself its configuration and its plugins, and not what else it keeps or edits") {
    const auto set = ProfileSet::builtin();
    const auto runs = [&set](std::string_view profile, std::string_view path) {
        const auto& globs = set.named(profile)->startup;
        return std::any_of(globs.begin(), globs.end(),
                           [path](const std::string& glob) { return base::glob_match(glob, path); });
    };
    for (const auto* path :
         {"/home/u/.vimrc", "/root/.exrc", "/home/u/.vim/plugin/a.vim", "/home/u/.vim/pack/x/start/y/plugin/z.vim",
          "/etc/vim/vimrc.local", "/usr/share/vim/vim90/defaults.vim"}) {
        INFO(path);
        CHECK(runs("vim", path));
        CHECK(runs("ex", path));
    }
    for (const auto* path : {"/home/u/.vim/undo/%home%u%a.lua~", "/home/u/.vim/swap/a.lua.swp", "/home/u/.viminfo",
                             "/home/u/a.lua", "/home/u/src/plugin/a.vim"}) {
        INFO(path);
        CHECK_FALSE(runs("vim", path));
    }
    for (const auto* path :
         {"/home/u/.config/nvim/init.lua", "/home/u/.config/nvim-test/lua/a/b.lua",
          "/usr/share/nvim/runtime/ftplugin/c.vim", "/home/u/.local/share/nvim/site/pack/p/start/q/plugin/a.lua",
          "/etc/xdg/nvim/sysinit.vim", "/tmp/w/.nvim.lua"}) {
        INFO(path);
        CHECK(runs("nvim", path));
    }
    for (const auto* path : {"/home/u/.local/share/nvim/shada/main.shada", "/home/u/.local/state/nvim/swap/x.swp",
                             "/home/u/src/x.nvim/lua/a.lua", "/home/u/init.lua"}) {
        INFO(path);
        CHECK_FALSE(runs("nvim", path));
    }
}

TEST_CASE("a glob with a directory is compared with the whole path") {
    ProfileSet set;
    set.load_text("schema = 1\n[grammar.g]\n[[profile]]\nname = \"x\"\ngrammar = \"g\"\nexe = [\"/opt/*/run\"]",
                  "a.toml");
    CHECK(set.match("/opt/moon/run", "").profile != nullptr);
    CHECK(set.match("/usr/bin/run", "").profile == nullptr);
}

} // namespace
} // namespace luatrail::detect::profiles_test
