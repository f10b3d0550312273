// What a tool was given to work on is data, until it is loaded as code is, or does what it did not do before.
#include "luatrail/inventory/inventory.hpp"
#include "support/catch.hpp"
#include "support/log.hpp"

namespace given_data_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;
using Briefs = std::vector<std::string>;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;

const Who shell{.pid = 10, .ppid = 1, .uid = 1000, .exe = "/usr/bin/bash"};
const Who lua{.pid = 20, .ppid = 10, .uid = 1000, .exe = "/usr/bin/lua5.1"};
const Who child{.pid = 30, .ppid = 20, .uid = 1000, .exe = "/usr/bin/dash"};

enum class Facts : std::uint8_t { none, packaged, altered };

detect::EngineOptions expecting(Facts facts, const std::string& script = "/usr/bin/luacheck") {
    detect::EngineOptions options;
    options.baseline.load_text("schema = 1\n[[expect]]\nid = \"tool\"\nexecutable = \"/usr/bin/lua5.1\"\nscript = \"" +
                                   script + "\"\n",
                               "b.toml");
    if (facts != Facts::none) {
        auto made = std::make_shared<inventory::Inventory>();
        made->packages = {{"lua-check", "1.1.0", "amd64", {}, false}};
        made->files["/usr/bin/luacheck"] = {
            0, inventory::FileKind::lua_script,
            facts == Facts::altered ? inventory::DigestState::differs : inventory::DigestState::matches, false};
        options.inventory = std::move(made);
    }
    return options;
}

// Somebody writes a file, and the tool is started with these words.
Log session(const std::string& file, const std::vector<std::string>& words, const std::string& cwd = "/home/jo/p") {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, file, 900).fork(shell, 20);
    std::vector<std::string> argv{"/usr/bin/lua5.1", "/usr/bin/luacheck"};
    argv.insert(argv.end(), words.begin(), words.end());
    return log.at(start + 1000).exec(lua, argv, cwd);
}

Log& os_execute(Log& log, const std::string& command = "id") {
    return log.fork(lua, 30).exec(child, {"sh", "-c", command});
}

} // namespace

TEST_CASE("what a word of the command line names is data: the file, or what lies below a directory") {
    const auto options = expecting(Facts::none);
    struct Row {
        std::string file;
        std::vector<std::string> words;
        bool given;
    };
    const std::vector<Row> rows{
        {"/home/jo/p/x.lua", {"x.lua"}, true},
        {"/home/jo/p/x.lua", {"--no-cache", "/home/jo/p/x.lua"}, true},
        {"/home/jo/p/x.lua", {"--config=/home/jo/p/x.lua"}, true},
        {"/home/jo/p/src/x.lua", {"src"}, true},
        {"/home/jo/p/src/x.lua", {"."}, true},
        {"/home/jo/p/x.lua", {}, false},              // nobody gave it
        {"/home/jo/p/x.lua", {"y.lua"}, false},       // nor that
        {"/home/jo/p2/x.lua", {"/home/jo/p"}, false}, // the beginning of a name is no directory
        {"/home/jo/p/x.lua", {"/"}, false},           // everything is nothing in particular
        {"/home/jo/p/x.so", {"."}, false},            // a library is there to be loaded
    };
    for (const auto& row : rows) {
        CAPTURE(row.file, row.words);
        auto log = session(row.file, row.words);
        log.read(lua, row.file, 900);
        const auto made = replay(log.text, options);
        CHECK(made.briefs == (row.given ? Briefs{} : Briefs{"medium script: module-drop/create |"}));
    }
}

TEST_CASE("of a package's tool also what lies beside what it was given, or below the working directory") {
    for (const auto& words : {std::vector<std::string>{"make", "m-1.rockspec"}, {"make"}}) {
        auto log = session("/home/jo/p/m.lua", words);
        log.read(lua, "/home/jo/p/m.lua", 900);
        CHECK(replay(log.text, expecting(Facts::packaged)).briefs.empty());
        CHECK(replay(log.text, expecting(Facts::none)).briefs == Briefs{"medium script: module-drop/create |"});
    }
    auto elsewhere = session("/tmp/m.lua", {"make"});
    elsewhere.read(lua, "/tmp/m.lua", 900);
    CHECK(replay(elsewhere.text, expecting(Facts::packaged)).briefs == Briefs{"medium script: module-drop/create |"});
}

TEST_CASE("what the tool itself wrote is its work, unless somebody else wrote it too") {
    const auto installed = [](const Who& other) {
        auto log = session("/home/jo/p/m.lua", {"make"});
        const Who cp{.pid = 30, .ppid = 20, .uid = 1000, .exe = "/usr/bin/cp"};
        log.fork(lua, 30).exec(cp, {"cp", "m.lua", "/home/jo/.luarocks/m.lua"});
        log.file_call(cp, "arch=c000003e syscall=257", "exit=3 a0=ffffff9c a1=1 a2=241 a3=1b6",
                      {{"/home/jo/.luarocks/", 501, "PARENT"}, {"/home/jo/.luarocks/m.lua", 901, "CREATE"}});
        log.file_call(other, "arch=c000003e syscall=257", "exit=3 a0=ffffff9c a1=1 a2=1 a3=0",
                      {{"/home/jo/.luarocks/m.lua", 901, "NORMAL", "0100644"}}); // opened for writing
        log.read(lua, "/home/jo/.luarocks/m.lua", 901);
        return replay(log.text, expecting(Facts::packaged)).briefs.size();
    };
    CHECK(installed(lua) == 0);
    CHECK(installed(shell) == 1);
}

TEST_CASE(
    "what the tool's own process wrote is its work also when it opens it twice, unless it came over the network") {
    const auto installs = [](const auto& between, const Who& writer) {
        auto log = session("/home/jo/p/m.lua", {"make"});
        const Who cp{.pid = 30, .ppid = 20, .uid = 1000, .exe = "/usr/bin/cp"};
        log.fork(lua, 30).exec(cp, {"cp", "m.lua", "/home/jo/.luarocks/m.lua"});
        between(log);
        log.create(writer.pid == 30 ? cp : writer, "/home/jo/.luarocks/m.lua", 901);
        log.read(lua, "/home/jo/.luarocks/m.lua", 901).read(lua, "/home/jo/.luarocks/m.lua", 901);
        return replay(log.text, expecting(Facts::packaged)).briefs;
    };
    const auto nothing = [](Log&) {};
    CHECK(installs(nothing, lua).empty());
    CHECK(installs(nothing, child) == Briefs{"medium script: module-drop/create |"}); // another program of its tree
    CHECK(installs(nothing, shell) == Briefs{"medium script: module-drop/create |"});
    const auto fetched = installs(
        [](Log& log) {
            log.address_call(lua, "arch=c000003e syscall=42", "a0=3 a1=1 a2=10", "02000050C00002010000000000000000");
        },
        lua);
    CHECK(fetched == Briefs{"high script: network module-drop/create |"});
}

TEST_CASE("who is not expected to, or was altered, is not given anything") {
    auto log = session("/home/jo/p/x.lua", {"x.lua"});
    log.read(lua, "/home/jo/p/x.lua", 900);
    CHECK(replay(log.text, expecting(Facts::none, "/usr/bin/other")).briefs ==
          Briefs{"low script: |", "high script: module-drop/create |"});
    CHECK(replay(log.text, expecting(Facts::altered)).briefs ==
          Briefs{"low script: |", "high script: module-drop/create |"});
    auto no_baseline = expecting(Facts::packaged);
    no_baseline.baseline = {};
    CHECK(replay(log.text, no_baseline).briefs == Briefs{"info script: | no-baseline"});
    no_baseline.inventory = nullptr;
    CHECK(replay(log.text, no_baseline).briefs.size() == 2);
}

TEST_CASE("what is opened twice at once was looked for and then loaded: code, whoever gave it") {
    auto required = session("/home/jo/p/x.lua", {"."});
    required.read(lua, "/home/jo/p/x.lua", 900).read(lua, "/home/jo/p/x.lua", 900);
    CHECK(replay(required.text, expecting(Facts::packaged)).briefs == Briefs{"medium script: module-drop/create |"});

    auto read_again = session("/home/jo/p/x.lua", {"."}); // once for each of two passes
    read_again.read(lua, "/home/jo/p/x.lua", 900).read(lua, "/usr/share/lua/5.1/a.lua", 901);
    read_again.read(lua, "/home/jo/p/x.lua", 900);
    CHECK(replay(read_again.text, expecting(Facts::packaged)).briefs.empty());
}

TEST_CASE("the drop counts as soon as the run does what it did not do before") {
    auto ran_it = session("/home/jo/p/x_spec.lua", {"x_spec.lua"});
    ran_it.read(lua, "/home/jo/p/x_spec.lua", 900);
    os_execute(ran_it);
    const auto made = replay(ran_it.text, expecting(Facts::packaged));
    REQUIRE(made.briefs == Briefs{"high script: module-drop/create child-shell |"});
    CHECK(made.findings[0].chain[0].path == "/home/jo/p/x_spec.lua");

    auto did_before = session("/home/jo/p/x.lua", {"x.lua"}); // luacheck asks uname what system this is
    os_execute(did_before, "uname -s");
    did_before.read(lua, "/home/jo/p/x.lua", 900);
    os_execute(did_before, "uname -s");
    CHECK(replay(did_before.text, expecting(Facts::packaged)).briefs.empty());

    auto twice = session("/home/jo/p/x.lua", {"."}); // given, and then loaded: one drop, told once
    twice.read(lua, "/home/jo/p/x.lua", 900).read(lua, "/home/jo/p/x.lua", 900);
    os_execute(twice);
    CHECK(replay(twice.text, expecting(Facts::packaged)).briefs ==
          Briefs{"medium script: module-drop/create |", "high script: module-drop/create child-shell |"});
}

} // namespace given_data_test
