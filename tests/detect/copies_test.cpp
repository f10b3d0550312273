// Interpreters under other names: who wrote what they had read, and who did not.
#include "support/catch.hpp"
#include "support/session.hpp"

namespace copies_test {

using namespace luatrail;
using namespace test;

namespace {

const Briefs found{"high script: interpreter-drop/create | no-baseline"};
const Briefs known{"info script: | no-baseline"};

Who reads(const std::string& exe, std::uint32_t pid, std::uint32_t ppid = 10) {
    return {.pid = pid, .ppid = ppid, .uid = 33, .exe = exe, .key = "luatrail-read"};
}

// Two commands of one user that share nothing but a file: the first one reads an interpreter, the second one's words
// name what it wrote.
Briefs in_two_sessions(const std::string& exe, const std::vector<std::string>& first, const std::string& kept,
                       const std::vector<std::string>& second, const std::string& made) {
    auto log = begun_twice();
    const Who packs = reads(exe, 20);
    log.exec(packs, first).read(packs, "/usr/bin/lua5.4", 900, "0100755").create(packs, kept, 701);
    const Who unpacks{.pid = 31, .ppid = 30, .uid = 33, .exe = exe};
    log.at(start + 200'000).exec(unpacks, second).create(unpacks, made, 702);
    const Who runs{.pid = 41, .ppid = 40, .uid = 33, .exe = made};
    return briefs(log.at(start + 200'100).exec(runs, {made, "/srv/old"}));
}

} // namespace

TEST_CASE("what is unpacked from an archive with an interpreter is one, whatever shell it is unpacked in") {
    CHECK(in_two_sessions("/usr/bin/tar", {"tar", "cf", "/tmp/b.tar", "/usr/bin/lua5.4"}, "/tmp/b.tar",
                          {"tar", "xf", "/tmp/b.tar", "--transform", "s/lua5.4/upd/"},
                          "/tmp/upd") == Briefs{"high script: interpreter-drop/unpack | no-baseline no-lineage"});
    CHECK(in_two_sessions("/usr/bin/gzip", {"gzip", "-k", "/usr/bin/lua5.4"}, "/tmp/a.gz", {"gzip", "-d", "/tmp/a.gz"},
                          "/tmp/upd") == Briefs{"high script: interpreter-drop/create | no-baseline no-lineage"});
    CHECK(in_two_sessions("/usr/bin/tar", {"tar", "cf", "/tmp/b.tar", "/usr/bin/lua5.4"}, "/tmp/b.tar",
                          {"tar", "xf", "/srv/other.tar"}, "/tmp/upd") == silent);
    // A backup of everything: only what keeps the name is the interpreter.
    CHECK(in_two_sessions("/usr/bin/tar", {"tar", "cf", "/tmp/b.tar", "/usr/bin"}, "/tmp/b.tar",
                          {"tar", "xf", "/tmp/b.tar"}, "/tmp/id") == silent);
    CHECK(in_two_sessions("/usr/bin/tar", {"tar", "cf", "/tmp/b.tar", "/usr/bin/lua5.4", "/usr/bin/id"}, "/tmp/b.tar",
                          {"tar", "xf", "/tmp/b.tar"}, "/tmp/id") == silent);
}

TEST_CASE("of several files that are copied each keeps its name") {
    const auto copied = [](const std::vector<std::string>& argv, const std::string& made) {
        auto log = begun_twice();
        const Who cp = reads("/usr/bin/cp", 20);
        log.exec(cp, argv).read(cp, "/usr/bin/lua5.4", 900, "0100755").create(cp, made, 701);
        return briefs(log.at(start + 100).exec(as(made, 21), {made, "/srv/old"}));
    };
    CHECK(copied({"cp", "-a", "/usr/bin/lua5.4", "/usr/bin/id", "/tmp/s/"}, "/tmp/s/id") == silent);
    CHECK(copied({"cp", "-a", "/usr/bin/lua5.4", "/usr/bin/id", "/tmp/s/"}, "/tmp/s/.id.Xb2c") == silent);
    CHECK(copied({"cp", "/usr/bin/lua5.4", "/tmp/upd"}, "/tmp/upd") == found);
}

TEST_CASE("beside a backup an archive of other things holds no interpreter") {
    auto log = begun_twice();
    const Who backup = reads("/usr/bin/tar", 20);
    log.exec(backup, {"tar", "-cf", "/tmp/b.tar", "/usr/bin/lua5.4"}).read(backup, "/usr/bin/lua5.4", 900, "0100755");
    log.create(backup, "/tmp/b.tar", 701);
    const auto packs = as("/usr/bin/tar", 21);
    log.exec(packs, {"tar", "-cf", "/tmp/o.tar", "/usr/bin/uname"}).create(packs, "/tmp/o.tar", 702);
    const auto unpacks = as("/usr/bin/tar", 22);
    log.exec(unpacks, {"tar", "-xf", "/tmp/o.tar", "-C", "/tmp/s"}).create(unpacks, "/tmp/s/uname", 703);
    CHECK(briefs(log.at(start + 100).exec(as("/tmp/s/uname", 23), {"uname", "/srv/old"})) == silent);
}

TEST_CASE("without their words, copiers copy what they read, and files beside the interpreter are others") {
    const auto copied = [](const std::string& made, bool interpreter_too) { // as under the lean rules
        auto log = begun_twice();
        const Who cp = reads("/usr/bin/cp", 20);
        log.read(cp, "/usr/bin/lua5.4", 900, "0100755");
        if (interpreter_too) {
            log.create(cp, "/tmp/s/lua5.4", 701);
        }
        return briefs(log.create(cp, made, 702).at(start + 100).exec(as(made, 21), {made, "/srv/old"}));
    };
    CHECK(copied("/tmp/s/upd", false) == found);
    CHECK(copied("/tmp/s/id", true) == silent);

    auto installed = begun_twice();
    const Who tar = reads("/usr/bin/tar", 20);
    installed.read(tar, "/usr/bin/lua5.4", 900, "0100755").create(as("/usr/bin/install", 21), "/tmp/tool", 701);
    CHECK(briefs(installed.at(start + 100).exec(as("/tmp/tool", 22), {"tool", "/srv/old"})) == silent);
}

TEST_CASE("a shell that opens for a reader what it then writes made the copy") {
    auto log = begun_twice();
    log.exec(as("/usr/bin/dash"), {"sh", "-c", "gzip -c /usr/bin/lua5.4 > /tmp/upd"})
        .create(as("/usr/bin/dash"), "/tmp/upd", 701);
    const Who gzip = reads("/usr/bin/gzip", 31, 20);
    log.fork(as("/usr/bin/dash"), 31).exec(gzip, {"gzip", "-c", "/usr/bin/lua5.4"});
    log.read(gzip, "/usr/bin/lua5.4", 900, "0100755");
    CHECK(briefs(log.at(start + 100).exec(as("/tmp/upd", 21), {"/tmp/upd", "/srv/old"})) == found);
}

TEST_CASE("a guessed copy without a word of code is not said to read code from standard input") {
    auto log = begun_twice();
    const Who python = reads("/usr/bin/python3.11", 20);
    log.exec(python, {"python3"}).read(python, "/usr/bin/lua5.4", 900, "0100755").create(python, "/tmp/tool", 701);
    CHECK(briefs(log.at(start + 100).exec(as("/tmp/tool", 21), {"/tmp/tool"})) ==
          Briefs{"high stdin: interpreter-drop/create | input-unknown no-baseline"});
}

TEST_CASE("who opens its script under the rules for interpreters is one, by whatever name it ran") {
    const auto linked = [](const std::string& key, const std::vector<std::string>& argv, const std::string& file) {
        auto log = begun();
        Who upd{.pid = 20, .ppid = 10, .uid = 33, .exe = "/srv/upd", .key = key};
        log.exec(upd, argv).at(start + 20);
        return briefs(log.read(upd, file, 700));
    };
    CHECK(linked("luatrail-lua", {"/srv/upd", "/srv/old"}, "/srv/old") == known);
    CHECK(linked("luatrail-file", {"/srv/upd", "/srv/old"}, "/srv/old") == silent);
    CHECK(linked("luatrail-lua", {"/srv/upd", "/srv/old"}, "/etc/hosts") == silent);
}

TEST_CASE("the loader that opens an interpreter by a link that is older than the log starts it") {
    const auto loaded = [](const std::vector<std::string>& argv, const std::string& key) {
        auto log = begun();
        Who loader{
            .pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", .key = key};
        log.exec(loader, argv).at(start + 20);
        return briefs(log.read(loader, argv[1], 900, "0100755", "80000"));
    };
    CHECK(loaded({"ld.so", "/srv/tool", "/srv/old"}, "luatrail-read") == known);
    CHECK(loaded({"ld.so", "/proc/self/fd/7", "/srv/old"}, "luatrail-read") == known);
    CHECK(loaded({"ld.so", "/srv/tool", "/srv/old"}, "luatrail-file") == silent);
}

} // namespace copies_test
