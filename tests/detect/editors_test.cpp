// Editors, which open Lua to edit it as well as to run it, and the other programs of the shipped profiles that work on
// files.
#include "support/catch.hpp"
#include "support/session.hpp"

namespace editors_test {

using namespace luatrail;
using test::as;
using test::begun_twice;
using test::Briefs;
using test::briefs;
using test::replay;
using test::shell;
using test::silent;
using test::start;
using test::Who;

namespace {

// A file that is dropped, and that a program opens.
Briefs opened(Who who, const std::vector<std::string>& argv, const std::string& file) {
    auto log = begun_twice();
    log.create(shell, file, 700).at(start + 20).exec(who, argv).at(start + 30);
    return briefs(log.read(who, file, 700));
}

Who on_terminal(std::string exe) {
    auto who = as(std::move(exe));
    who.tty = "pts0";
    return who;
}

Who in_session(std::string exe) {
    auto who = as(std::move(exe));
    who.auid = 1000;
    return who;
}

const Briefs found{"high embedded: script-drop/create | no-baseline"};

} // namespace

TEST_CASE("a graphical editor of a login session has somebody before it") {
    CHECK(opened(in_session("/usr/bin/nvim"), {"nvim", "--embed"}, "/home/u/p/x.lua") == silent);
    CHECK(opened(as("/usr/bin/nvim"), {"nvim", "--embed"}, "/home/u/p/x.lua") == found); // a service
    CHECK(opened(in_session("/usr/bin/nvim"), {"nvim", "--headless"}, "/home/u/p/x.lua") == found);
    CHECK(opened(in_session("/usr/bin/vim.gtk3"), {"gvim"}, "/home/u/p/x.lua") == silent);
    CHECK(opened(in_session("/usr/bin/vim.gtk3"), {"vim", "-g"}, "/home/u/p/x.lua") == silent);
    CHECK(opened(in_session("/usr/bin/nvim"), {"nvim", "--embed"}, "/home/u/.config/nvim/lua/x.lua") == found);
}

TEST_CASE("a settings file that somebody opens to edit it is not run for that") {
    const std::string settings = "/home/u/dotfiles/nvim/lua/x.lua";
    CHECK(opened(on_terminal("/usr/bin/nvim"), {"nvim", settings}, settings) == silent);
    CHECK(opened(as("/usr/bin/nvim"), {"nvim", settings}, settings) == found);              // nobody sits before it
    CHECK(opened(on_terminal("/usr/bin/nvim"), {"nvim"}, "/tmp/x/nvim/init.lua") == found); // XDG_CONFIG_HOME
    CHECK(opened(on_terminal("/usr/bin/nvim"), {"nvim"}, "/home/u/src/nvim/gen/x.lua") == silent);
}

TEST_CASE("what a command has an editor source is run, its own operand too") {
    const auto nvim = on_terminal("/usr/bin/nvim");
    const auto vim = on_terminal("/usr/bin/vim.nox");
    CHECK(opened(nvim, {"nvim", "+so%", "/tmp/e.vim"}, "/tmp/e.vim") == found);
    CHECK(opened(nvim, {"nvim", "+exe 'so %'", "/tmp/e.vim"}, "/tmp/e.vim") == found);
    CHECK(opened(vim, {"vim", "-S", "/tmp/e.vim"}, "/tmp/e.vim") == found);
    CHECK(opened(vim, {"vim", "-S/tmp/e.vim"}, "/tmp/e.vim") == found);
    CHECK(opened(vim, {"vim", "-s", "/tmp/keys"}, "/tmp/keys") == found);
    CHECK(opened(vim, {"vim", "-u", "/tmp/rc", "x"}, "/tmp/rc") == found);
    CHECK(opened(vim, {"vim", "+%s/a/b/g", "/tmp/e.lua"}, "/tmp/e.lua") == silent);
    CHECK(opened(vim, {"vim", "-es", "/tmp/notes"}, "/tmp/notes") == silent);
}

TEST_CASE("what is edited is run where a command sources it, however it says so") {
    const auto nvim = on_terminal("/usr/bin/nvim");
    for (const std::string command : {"so", "%so", "so %", "exe 'so %'", "call execute('so %')", "so #1", "so <afile>",
                                      "sandbox so %", "debug so %", "argdo so", "silent! so %"}) {
        INFO(command);
        CHECK(opened(nvim, {"nvim", "+" + command, "/tmp/e.vim"}, "/tmp/e.vim") == found);
    }
}

TEST_CASE("a command that opens a file, or looks for its name, does not run it") {
    const auto nvim = on_terminal("/usr/bin/nvim");
    for (const std::string command : {"vsplit e.vim", "e e.vim", "sp e.vim", "tabe e.vim", "/e.vim", "r e.vim",
                                      "w e.vim", "se rtp+=e.vim", "echo 'e.vim'", "h e.vim"}) {
        INFO(command);
        CHECK(opened(nvim, {"nvim", "-c", command}, "/tmp/e.vim") == silent);
    }
    CHECK(opened(nvim, {"nvim", "-c", "PluginLoad e.vim"}, "/tmp/e.vim") == found);
}

TEST_CASE("what the shell wrote before it became the program is a drop") {
    const Who before{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/dash"};
    const auto became = [&](const std::string& exe, const std::vector<std::string>& argv, const std::string& file) {
        auto log = begun_twice();
        log.exec(before, {"sh"}).create(before, file, 700).exec(as(exe), argv).at(start + 30);
        return briefs(log.read(as(exe), file, 700));
    };
    CHECK(became("/usr/bin/nvim", {"nvim", "--headless", "+q"}, "/home/u/.config/nvim/init.lua") == found);
    CHECK(became("/usr/bin/mpv", {"mpv", "x.mkv"}, "/home/u/.config/mpv/scripts/e.lua") == found);
}

TEST_CASE("a window is asked for before the end of the options, and not by who has none") {
    CHECK(opened(in_session("/usr/bin/nvim"), {"nvim", "--headless", "--embed"}, "/home/u/p/x.lua") == found);
    CHECK(opened(in_session("/usr/bin/nvim"), {"nvim", "-es", "--", "--embed"}, "/home/u/p/x.lua") == found);
}

TEST_CASE("what an editor wrote for itself is none of it, unless another program wrote it") {
    const auto kept = [](const std::string& writer, const std::string& file) {
        auto log = begun_twice();
        const auto first = on_terminal(writer);
        auto second = on_terminal("/usr/bin/nvim");
        second.pid = 21;
        log.exec(first, {"x"}).create(first, file, 700).exit(first).at(start + 50);
        return briefs(log.exec(second, {"nvim", "-S", file}).read(second, file, 700));
    };
    CHECK(kept("/usr/bin/nvim", "/home/u/Session.vim") == silent);
    CHECK(kept("/usr/bin/bash", "/home/u/Session.vim") == found);
    CHECK(kept("/usr/bin/nvim", "/home/u/.cache/nvim/luac/x.luac") == silent);
    CHECK(kept("/usr/bin/bash", "/home/u/.cache/nvim/luac/x.luac") == found);
}

TEST_CASE("a line with more commands than are read is told as code") {
    std::string line = "+";
    for (int i = 0; i < 300; ++i) {
        line += "se nu|";
    }
    auto log = begun_twice();
    log.exec(on_terminal("/usr/bin/nvim"), {"nvim", line + "luaf /tmp/e.lua"});
    CHECK(briefs(log) == Briefs{"info embedded: | no-baseline"});
}

TEST_CASE("an option may give a file to work on") {
    const auto highlight = as("/usr/bin/highlight");
    CHECK(opened(highlight, {"highlight", "-i", "/tmp/x.lua"}, "/tmp/x.lua") == silent);
    CHECK(opened(highlight, {"highlight", "-i/tmp/x.lua"}, "/tmp/x.lua") == silent);
    CHECK(opened(highlight, {"highlight", "--input=/tmp/x.lua"}, "/tmp/x.lua") == silent);
    CHECK(opened(highlight, {"highlight", "--config-file=/tmp/x.conf", "x.c"}, "/tmp/x.conf") == found);
}

TEST_CASE("nmap's index of scripts is its own, unless another program wrote it") {
    const std::string index = "/usr/share/nmap/scripts/script.db";
    const auto written = [&](const std::string& writer) {
        auto log = begun_twice();
        const auto first = as(writer);
        const auto second = as("/usr/bin/nmap", 21);
        log.exec(first, {"x"}).create(first, index, 700).exit(first).at(start + 50);
        return briefs(log.exec(second, {"nmap", "-sC", "h"}).read(second, index, 700));
    };
    CHECK(written("/usr/bin/nmap") == silent);
    CHECK(written("/usr/bin/bash") == found);
}

TEST_CASE("a script that is named without its place may lie where the program looks for it") {
    const auto pandoc = as("/usr/bin/pandoc");
    const std::string filter = "/home/u/.local/share/pandoc/filters/f.lua";
    auto log = begun_twice();
    log.create(shell, filter, 700).at(start + 20).exec(pandoc, {"pandoc", "-L", "f.lua", "x.md"});
    log.read(pandoc, filter, 700);
    CHECK(briefs(log) == Briefs{"info embedded: | no-baseline path-uncertain",
                                "high embedded: script-drop/create | no-baseline path-uncertain"});
    CHECK(replay(log.text).findings.back().code.path == filter);
}

TEST_CASE("what is expected where a program looks for it is expected by its bare name, until another is opened") {
    const auto sysbench = as("/usr/bin/sysbench");
    const auto ran = [&](const std::string& script, const std::string& name, const std::string& opened_file) {
        detect::EngineOptions options;
        options.baseline.load_text(
            "schema = 1\n[[expect]]\nid = \"b\"\nexecutable = \"/usr/bin/sysbench\"\nscript = \"" + script + "\"\n",
            "b.toml");
        auto log = begun_twice();
        log.exec(sysbench, {"sysbench", name, "run"}, "/home/u").at(start + 30).read(sysbench, opened_file, 900);
        return replay(log.text, std::move(options)).briefs;
    };
    const std::string packaged = "/usr/share/sysbench/oltp.lua";
    CHECK(ran("/usr/share/sysbench/**", "oltp", packaged) == silent);
    CHECK(ran(packaged, "oltp", packaged) == silent);
    CHECK(ran(packaged, "oltp", "/home/u/oltp") == Briefs{"low embedded: | path-uncertain other-file"});
    CHECK(ran(packaged, "other", packaged) == Briefs{"low embedded: | path-uncertain"});
    CHECK(ran("/srv/oltp.lua", "oltp", packaged) == Briefs{"low embedded: | path-uncertain"}); // not a place of its
}

TEST_CASE("a file of macros that rpm is told to load is code") {
    const auto rpm = as("/usr/bin/rpm");
    CHECK(opened(rpm, {"rpm", "--load", "/tmp/m", "-E", "%foo"}, "/tmp/m") == found);
    CHECK(opened(rpm, {"rpm", "-qp", "/tmp/x.rpm"}, "/tmp/x.rpm") == silent);
}

} // namespace editors_test
