// What a program opens makes a run where its command line shows none: dropped code, a Lua library, an interpreter.
#include <algorithm>

#include "support/catch.hpp"
#include "support/session.hpp"

namespace evidence_test {

using namespace luatrail;
using namespace test;

TEST_CASE("dropped code that a program with Lua inside opens is a run, whatever its command line says") {
    const auto opened = [](const std::string& exe, const std::vector<std::string>& argv, const std::string& file) {
        auto log = begun();
        log.create(shell, file, 700).at(start + 20).exec(as(exe), argv).at(start + 30);
        return briefs(log.read(as(exe), file, 700));
    };
    const Briefs found{"high embedded: script-drop/create | no-baseline"};
    CHECK(opened("/usr/bin/pandoc", {"pandoc", "-d", "d.yaml"}, "/tmp/e.lua") == found);
    CHECK(opened("/usr/bin/nmap", {"nmap", "-sC", "127.0.0.1"}, "/tmp/nse_main.lua") == found);
    CHECK(opened("/usr/bin/mpv", {"mpv", "x.mkv"}, "/home/u/.config/mpv/scripts/e.lua") == found);
    CHECK(opened("/usr/bin/pandoc", {"pandoc", "x.md"}, "/tmp/x.md") == silent);
    CHECK(opened("/usr/bin/id", {"id"}, "/tmp/e.lua") == silent); // it cannot run Lua
}

TEST_CASE("code that lay there before the window, or that the program wrote itself, is no evidence") {
    auto old = begun();
    old.create(shell, "/tmp/e.lua", 700)
        .at(start + 700'000)
        .fork(shell, 21)
        .exec(as("/usr/bin/pandoc", 21), {"pandoc"});
    CHECK(briefs(old.read(as("/usr/bin/pandoc", 21), "/tmp/e.lua", 700)) == silent);
    auto own = begun();
    own.exec(as("/usr/bin/pandoc"), {"pandoc", "-o", "/tmp/e.lua"}).create(as("/usr/bin/pandoc"), "/tmp/e.lua", 700);
    CHECK(briefs(own.at(start + 50).read(as("/usr/bin/pandoc"), "/tmp/e.lua", 700)) == silent);
}

TEST_CASE("what follows a run that an open showed raises it") {
    auto log = begun();
    log.create(shell, "/tmp/e.lua", 700).exec(as("/usr/bin/pandoc"), {"pandoc", "-d", "d.yaml"});
    log.read(as("/usr/bin/pandoc"), "/tmp/e.lua", 700).fork(as("/usr/bin/pandoc"), 30);
    log.exec({.pid = 30, .ppid = 20, .exe = "/usr/bin/dash"}, {"sh", "-c", "id"});
    CHECK(briefs(log) == Briefs{"high embedded: script-drop/create | no-baseline",
                                "critical embedded: script-drop/create child-shell | no-baseline"});
}

TEST_CASE("an editor opens Lua to edit it, and runs what its start-up paths and its commands name") {
    const auto edited = [](const std::vector<std::string>& argv, const std::string& file, const std::string& tty) {
        Who vim{.pid = 20, .ppid = 10, .exe = "/usr/bin/vim.nox", .tty = tty};
        detect::EngineOptions options;
        options.profiles.load_text("schema = 1\n[grammar.v]\nrequires_script_option = true\nignores_unknown = true\n"
                                   "options = [{ option = \"-c\", role = \"value\" }]\n"
                                   "[[profile]]\nname = \"vim\"\ngrammar = \"v\"\nembedded = true\n"
                                   "exe = [\"vim.*\"]\nloads = [\"**.lua\"]\nstartup = [\"**/.vim/**\"]\n",
                                   "test");
        auto log = begun();
        log.create(shell, file, 700).exec(vim, argv).at(start + 30).read(vim, file, 700);
        return briefs(log, options);
    };
    const Briefs found{"high embedded: script-drop/create | no-baseline"};
    CHECK(edited({"vim", "/tmp/e.lua"}, "/tmp/e.lua", "pts0") == silent);
    CHECK(edited({"vim", "/tmp/e.lua"}, "/tmp/e.lua", "(none)") == silent);
    CHECK(edited({"vim", "."}, "/tmp/e.lua", "pts0") == silent); // picked from a list
    CHECK(edited({"vim", "x"}, "/home/u/.vim/plugin/e.lua", "pts0") == found);
    CHECK(edited({"vim", "-c", "luaf /tmp/e.txt"}, "/tmp/e.txt", "pts0") == found);
    CHECK(edited({"vim", "+luafile e.txt"}, "/tmp/e.txt", "pts0") == found);
    CHECK(edited({"vim", "-es", "x"}, "/tmp/e.lua", "(none)") == found); // $VIMINIT, a modeline
    CHECK(edited({"vim", "-c", "/tmp/e.lua"}, "/tmp/e.lua", "pts0") == found);
    CHECK(edited({"vim", "-c", "/tmp/Session.vim"}, "/tmp/Session.vim", "pts0") == silent); // what :mksession wrote
}

namespace {

const std::string library = "/lib/x86_64-linux-gnu/liblua5.4.so.0";

Log loads_library(const std::string& exe, const std::vector<std::string>& argv, const std::string& name = library,
                  const char* flags = "80000") {
    auto log = begun();
    return log.exec(as(exe), argv).at(start + 20).read(as(exe), name, 800, "0100644", flags);
}

} // namespace

TEST_CASE("a program that loads a Lua library is a run, unless it is known to need it") {
    const Briefs found{"info library: | no-baseline"};
    CHECK(briefs(loads_library("/usr/bin/python3.11", {"python3", "x.py"})) == found);
    CHECK(briefs(loads_library("/opt/x/tool", {"tool"}, "/usr/lib64/libluajit-5.1.so.2")) == found);
    CHECK(briefs(loads_library("/usr/bin/nmap", {"nmap", "127.0.0.1"})) == silent); // Lua inside, by its profile
    CHECK(briefs(loads_library("/usr/bin/python3.11", {"python3"}, "/usr/lib/libluci.so.1")) == silent);

    detect::EngineOptions options;
    auto inventory = std::make_shared<inventory::Inventory>();
    inventory->packages = {{"game", "1", "amd64", {"liblua5.4-0"}, false}, {"python3", "3", "amd64", {}, false}};
    inventory->files["/usr/games/game"] = {0, inventory::FileKind::executable, inventory::DigestState::matches, false};
    inventory->files["/usr/bin/python3.11"] = {1, inventory::FileKind::executable, inventory::DigestState::matches,
                                               false};
    options.inventory = inventory;
    CHECK(briefs(loads_library("/usr/games/game", {"game"}), options) == silent);
    CHECK(briefs(loads_library("/usr/bin/python3.11", {"python3"}), options) == found);
}

TEST_CASE("a file that a program is given to work on is data, unless its grammar takes it for code") {
    const auto works_on = [](const std::vector<std::string>& argv) {
        auto log = begun();
        log.create(shell, "/tmp/e.lua", 700).exec(as("/usr/bin/highlight"), argv).at(start + 30);
        return briefs(log.read(as("/usr/bin/highlight"), "/tmp/e.lua", 700));
    };
    CHECK(works_on({"highlight", "-O", "ansi", "/tmp/e.lua"}) == silent);
    CHECK(works_on({"highlight", "x.c"}) ==
          Briefs{"high embedded: script-drop/create | no-baseline"}); // a settings file names it
}

TEST_CASE("a program that is an interpreter with some arguments only loads a library as any other") {
    CHECK(briefs(loads_library("/usr/bin/perl", {"perl", "x.pl"})) == Briefs{"info library: | no-baseline"});
}

TEST_CASE("the dynamic loader under another name runs a copy under another name") {
    auto log = begun();
    log.exec(as("/usr/bin/install"), {"install", "/lib64/ld-linux-x86-64.so.2", "/tmp/u"});
    log.create(as("/usr/bin/install"), "/tmp/u", 700).fork(shell, 21);
    log.exec(as("/usr/bin/cat", 21), {"cat", "/usr/bin/lua5.3"}).create(as("/usr/bin/cat", 21), "/tmp/data", 701);
    log.create(shell, "/tmp/conf", 702).fork(shell, 22).at(start + 100);
    CHECK(briefs(log.exec(as("/tmp/u", 22), {"/tmp/u", "/tmp/data", "/tmp/conf"})) ==
          Briefs{"high script: interpreter-drop/create script-drop/create | no-baseline"});
}

TEST_CASE("what reads a Lua library as any other file is no run") {
    CHECK(briefs(loads_library("/usr/bin/tar", {"tar", "cf", "x.tar", "/lib"})) == silent);
    CHECK(briefs(loads_library("/usr/bin/sha256sum", {"sha256sum", library}, library, "0")) == silent);
    CHECK(briefs(loads_library("/usr/bin/python3.11", {"borg", "create"}, library + ".0.0")) == silent);
    auto dropped = begun(); // a program of one's own that calls itself tar
    dropped.create(shell, "/tmp/tar", 700)
        .exec(as("/tmp/tar"), {"tar"})
        .read(as("/tmp/tar"), library, 800, "0100644", "80000");
    CHECK(briefs(dropped) == Briefs{"high library: interpreter-drop/create | no-baseline"});
}

TEST_CASE("dropped Lua that the command line of such a program names belongs to its run") {
    for (const auto& argv : std::vector<std::vector<std::string>>{
             {"kw", "/tmp/e.lua"}, {"python3", "-c", "L.luaL_loadfilex(s,b'/tmp/e.lua',None)"}, {"kw", "tmp/e.lua"}}) {
        auto log = begun();
        log.create(shell, "/tmp/e.lua", 700).exec(as("/usr/local/bin/kw"), argv);
        log.read(as("/usr/local/bin/kw"), library, 800, "0100644", "80000");
        CHECK(briefs(log) == Briefs{"high library: script-drop/create | no-baseline"});
    }
}

namespace {

// `reader` opens the interpreter, `writer` makes the file that is then run.
Briefs copied(const Who& reader, const Who& writer, const std::vector<std::string>& writer_argv) {
    auto log = begun();
    log.exec(reader, {"x"}).read(reader, "/usr/bin/lua5.4", 900, "0100755");
    log.at(start + 100).fork(shell, 21).fork(shell, 22);
    log.exec(writer, writer_argv).create(writer, "/tmp/upd", 700);
    log.at(start + 200).exec(as("/tmp/upd", 22), {"/tmp/upd", "/var/lib/old.lua"});
    return briefs(log);
}

} // namespace

TEST_CASE("what is written by who read an interpreter, or beside it, is a copy of it") {
    const Briefs found{"high script: interpreter-drop/create | no-baseline"};
    CHECK(copied(as("/usr/bin/python3.11"), as("/usr/bin/python3.11"), {"python3"}) == found);
    CHECK(copied(as("/usr/bin/gzip"), as("/usr/bin/gunzip", 21), {"gunzip", "-c", "/tmp/a.gz"}) == found);
    const Who below{.pid = 21, .ppid = 20, .uid = 33, .exe = "/usr/bin/base64"};
    CHECK(copied(as("/usr/bin/python3.11"), below, {"base64", "-d"}) == found);
    // Another's child, a copier whose source is known, and a compiler below a build.
    const Who stranger{.pid = 50, .ppid = 49, .uid = 33, .exe = "/usr/bin/gunzip"};
    CHECK(copied(as("/usr/bin/gzip"), stranger, {"gunzip"}) == silent);
    CHECK(copied(as("/usr/bin/gdb"), as("/usr/bin/cp", 21), {"cp", "/build/prog", "/tmp/upd"}) == silent);
}

TEST_CASE("a reading that 300 others pushed out still makes a copy of what its user wrote") {
    const auto with = [](std::uint32_t readers_user, std::uint32_t others) {
        auto log = begun();
        Who reader = as("/usr/bin/python3.11");
        reader.uid = readers_user;
        log.exec(reader, {"python3"}).read(reader, "/usr/bin/lua5.4", 900, "0100755");
        for (std::uint32_t pid = 100; pid < 100 + others; ++pid) {
            const Who head{.pid = pid, .ppid = 60, .uid = readers_user, .exe = "/usr/bin/head"};
            log.read(head, "/usr/bin/lua5.4", 900, "0100755");
        }
        Who writer = as("/usr/bin/python3.11");
        writer.uid = 33;
        log.create(writer, "/tmp/upd", 700).fork(shell, 22);
        log.exec(as("/tmp/upd", 22), {"/tmp/upd", "/var/lib/old.lua"});
        return replay(log.text);
    };
    const auto pushed_out = with(33, 300);
    CHECK(pushed_out.briefs == Briefs{"high script: interpreter-drop/create | evicted no-baseline"});
    CHECK(with(34, 300).briefs == silent); // another user's
    CHECK(with(33, 200).briefs == Briefs{"high script: interpreter-drop/create | no-baseline"});
}

TEST_CASE("a package manager that reads interpreters copies none") {
    Who dpkg{.pid = 20, .ppid = 10, .uid = 0, .exe = "/usr/bin/dpkg"};
    CHECK(copied(dpkg, dpkg, {"dpkg", "-i", "x.deb"}) == silent);
    dpkg.uid = 33;
    CHECK(copied(dpkg, dpkg, {"dpkg", "-c"}) != silent);
}

TEST_CASE("the dynamic loader under another name runs what its arguments name") {
    const auto runs = [](const std::string& exe, const std::vector<std::string>& argv) {
        auto log = begun();
        log.exec(as("/usr/bin/cp"), {"cp", "-L", "/lib64/ld-linux-x86-64.so.2", "/tmp/kw"})
            .create(as("/usr/bin/cp"), "/tmp/kw", 700);
        log.create(shell, "/tmp/e.lua", 701).fork(shell, 21).at(start + 100);
        return briefs(log.exec(as(exe, 21), argv));
    };
    CHECK(runs("/tmp/kw", {"/tmp/kw", "/usr/bin/lua5.4", "/tmp/e.lua"}) ==
          Briefs{"high script: interpreter-drop/create script-drop/create | no-baseline"});
    CHECK(runs("/tmp/kw", {"/tmp/kw", "/usr/bin/id"}) == silent);

    auto linked = begun(); // the same inode
    linked.link(as("/usr/bin/ln"), "/lib64/ld-linux-x86-64.so.2", "/tmp/kw", 901).fork(shell, 21);
    linked.exec(as("/tmp/kw", 21), {"/tmp/kw", "/usr/bin/lua5.4", "-e", "x"});
    CHECK(briefs(linked) == Briefs{"high inline: interpreter-drop/link | no-baseline"});

    auto built = begun(); // no copy of it that anybody saw being made
    built.create(shell, "/tmp/kw", 702).create(shell, "/tmp/e.lua", 701).fork(shell, 21);
    built.exec(as("/tmp/kw", 21), {"/tmp/kw", "/usr/bin/lua5.4", "/tmp/e.lua"});
    built.at(start + 50).read(as("/tmp/kw", 21), "/usr/bin/lua5.4", 900, "0100755", "80000");
    CHECK(briefs(built) == Briefs{"high script: interpreter-drop/create script-drop/create | no-baseline"});
}

TEST_CASE("an interpreter that was asked for its version is watched: LUA_INIT and modules run") {
    auto loads = begun();
    loads.create(shell, "/tmp/e.lua", 700).exec(as("/usr/bin/lua5.4"), {"lua5.4", "-v"});
    CHECK(briefs(loads) == silent);
    CHECK(briefs(loads.read(as("/usr/bin/lua5.4"), "/tmp/e.lua", 700)) ==
          Briefs{"high script: script-drop/create | no-baseline"});
    auto shells = begun();
    shells.exec(as("/usr/bin/lua5.4"), {"lua5.4", "-v"}).fork(as("/usr/bin/lua5.4"), 30);
    shells.exec({.pid = 30, .ppid = 20, .exe = "/usr/bin/dash"}, {"sh", "-c", "id"});
    CHECK(briefs(shells) == Briefs{"info unknown: child-shell | no-baseline"});
}

TEST_CASE("of several scripts the second one's drop counts as the first one's") {
    auto log = begun();
    log.create(shell, "/tmp/e.nse", 700).at(start + 100);
    log.exec(as("/usr/bin/nmap"), {"nmap", "--script", "/usr/share/nmap/scripts/banner.nse,/tmp/e.nse", "127.0.0.1"});
    CHECK(briefs(log) == Briefs{"high embedded: script-drop/create | no-baseline"});
}

TEST_CASE("on a terminal standard input may be anything: no prompt is claimed, and no pipe") {
    const Who typed{.pid = 20, .ppid = 10, .exe = "/usr/bin/lua5.4", .tty = "pts0"};
    CHECK(briefs(begun().exec(typed, {"lua5.4"})) == Briefs{"info stdin: | input-unknown no-baseline"});
    CHECK(briefs(begun().exec(typed, {"lua5.4", "-i"})) == Briefs{"info stdin: | input-unknown no-baseline"});
    const Who daemon{.pid = 20, .ppid = 10, .exe = "/usr/bin/lua5.4"};
    CHECK(briefs(begun().exec(daemon, {"lua5.4", "-i"})) == Briefs{"high stdin: | no-baseline"}); // nobody types there
}

TEST_CASE("a pipe is known also where its producer is over") {
    const auto piped = [](bool runs_program) {
        Who typed{.pid = 21, .ppid = 10, .exe = "/usr/bin/lua5.4", .tty = "pts0"};
        auto log = begun();
        if (runs_program) {
            log.exec(as("/usr/bin/clear"), {"clear"}).exit(as("/usr/bin/clear"));
        } else {
            log.exit(as("/usr/bin/bash"));
        }
        return briefs(log.at(start + 12).fork(shell, 21).exec(typed, {"lua5.4"}));
    };
    CHECK(piped(false) == Briefs{"high stdin: | no-baseline"});
    CHECK(piped(true) == Briefs{"info stdin: | input-unknown no-baseline"});
}

TEST_CASE("a shell anywhere below a server is seen") {
    const Who nginx{.pid = 20, .ppid = 1, .uid = 33, .exe = "/usr/sbin/nginx"};
    Log log;
    log.at(start)
        .exec(nginx, {"nginx"})
        .fork(nginx, 30)
        .exec({.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/python3.11"}, {"python3"});
    log.fork({.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/python3.11"}, 31);
    log.exec({.pid = 31, .ppid = 30, .uid = 33, .exe = "/usr/bin/dash"}, {"sh", "-c", "id"});
    CHECK(briefs(log) == Briefs{"info embedded: child-shell | no-baseline"});
}

TEST_CASE("the name of another program hides no copy of an interpreter") {
    for (const auto* const name : {"/tmp/vim", "/tmp/nmap", "/tmp/ld.so", "/tmp/ld-linux-x86-64.so.2"}) {
        auto log = begun();
        log.exec(as("/usr/bin/cp"), {"cp", "/usr/bin/lua5.4", name}).create(as("/usr/bin/cp"), name, 700);
        log.fork(shell, 21).at(start + 100).exec(as(name, 21), {name, "/var/lib/old.lua"});
        CHECK(briefs(log) == Briefs{"high script: interpreter-drop/create | no-baseline"});
    }
}

TEST_CASE("a Lua library is one under another name of its file") {
    auto log = loads_library("/usr/games/known", {"known"});
    log.fork(shell, 21).exec(as("/opt/tool", 21), {"tool"});
    log.read(as("/opt/tool", 21), "/tmp/x.so", 800, "0100644", "80000");
    const auto found = briefs(log);
    CHECK(std::count(found.begin(), found.end(), "info library: | no-baseline") == 2);
}

TEST_CASE("what a shell does long after an interpreter was read, or what only gets another mode, is no copy") {
    const auto later = [](std::int64_t after_ms, const std::string& exe, bool chmod) {
        auto log = begun();
        log.exec(as("/usr/bin/file"), {"file", "/usr/bin/lua5.4"}).read(as("/usr/bin/file"), "/usr/bin/lua5.4", 900);
        log.at(start + after_ms).fork(shell, 21).fork(shell, 22).exec(as(exe, 21), {"x", "y"});
        if (chmod) {
            log.file_call(as(exe, 21), "arch=c000003e syscall=268", "a0=ffffff9c a1=1 a2=1ed a3=0",
                          {{"/tmp/tool", 700, "NORMAL", "0100644"}});
        } else {
            log.create(as(exe, 21), "/tmp/tool", 700);
        }
        return briefs(log.at(start + after_ms + 100).exec(as("/tmp/tool", 22), {"/tmp/tool", "version"}));
    };
    CHECK(later(500, "/usr/bin/gunzip", false) != silent);
    CHECK(later(120'000, "/usr/bin/gunzip", false) == silent);
    CHECK(later(500, "/usr/bin/curl", false) == silent);
    CHECK(later(500, "/usr/bin/chmod", true) == silent);
}

TEST_CASE("who copies a whole tree copies an interpreter by its name only") {
    const auto tree = [](const std::string& made) {
        auto log = begun();
        log.exec(as("/usr/bin/cp"), {"cp", "-a", "/usr", "/mnt/c"});
        log.read(as("/usr/bin/cp"), "/usr/bin/lua5.4", 900).create(as("/usr/bin/cp"), made, 700);
        return briefs(log.fork(shell, 21).at(start + 100).exec(as(made, 21), {made, "/x.lua"}));
    };
    CHECK(tree("/mnt/c/usr/bin/ls") == silent);
    CHECK(tree("/mnt/c/usr/bin/lua5.4") != silent);
}

TEST_CASE("a copier that is given a pipe or its own program hides no copy") {
    auto piped = begun();
    piped.exec(as("/usr/bin/cat"), {"cat", "/usr/bin/lua5.4"}).read(as("/usr/bin/cat"), "/usr/bin/lua5.4", 900);
    piped.fork(shell, 21)
        .exec(as("/usr/bin/cp", 21), {"cp", "/dev/stdin", "/tmp/z"})
        .create(as("/usr/bin/cp", 21), "/tmp/z", 700);
    CHECK(briefs(piped.fork(shell, 22).at(start + 100).exec(as("/tmp/z", 22), {"/tmp/z", "evil"})) != silent);
}

} // namespace evidence_test
