#include "plugin/look_up.hpp"

#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "luatrail/base/clock.hpp"
#include "plugin/lua_signs.hpp"
#include "plugin/safe_file.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace look_up_test {

using namespace luatrail;

namespace {

constexpr const char* digest_of_return_1 =
    "0805bfdc02e872ed322a4a4e440ae985f3a4335f4dd59f3d373dfaf2a68a4a3c"; // sha256sum
constexpr std::uint32_t nobody = 65534;

// Its files are everybody's to read.
class OpenDir : public test::TempDir {
  public:
    OpenDir() { std::filesystem::permissions(path(), std::filesystem::perms(0755)); }
};

detect::Finding finding_of(const std::string& script, std::uint32_t euid = 0) {
    detect::Finding finding;
    finding.time_ms = base::wall_clock_ms() + 60'000; // no file is newer
    finding.interpreter.exe = "/usr/bin/env";
    finding.code.origin = detect::Origin::script;
    finding.code.argument = script;
    finding.code.path = script;
    finding.process.pid = 0x7ffffffe; // none
    finding.process.uid = finding.process.euid = euid;
    return finding;
}

detect::Finding looked_up(detect::Finding finding) {
    plugin::LookUps look_ups;
    plugin::add_to(finding, look_ups.look(plugin::asked_run(finding)));
    REQUIRE(finding.evidence);
    return finding;
}

detect::FileEvidence script_of(const detect::Finding& finding) {
    const auto found = looked_up(finding);
    REQUIRE(found.evidence->script);
    return *found.evidence->script;
}

// A process that waits until it is killed, with a file as its standard input.
class Sleeper {
  public:
    Sleeper(std::vector<std::string> environment, const std::string& input) {
        std::vector<char*> variables;
        for (auto& one : environment) {
            variables.push_back(one.data());
        }
        variables.push_back(nullptr);
        std::string name = "sleep";
        std::string argument = "1000";
        std::array<char*, 3> argv{name.data(), argument.data(), nullptr};
        posix_spawn_file_actions_t actions{};
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
        REQUIRE(::posix_spawn(&pid_, "/bin/sleep", &actions, nullptr, argv.data(), variables.data()) == 0);
        ::posix_spawn_file_actions_destroy(&actions);
        const auto line = "/proc/" + std::to_string(pid_) + "/cmdline"; // the kernel says what runs a moment later
        while (std::ifstream(line).peek() == std::ifstream::traits_type::eof()) {
            ::usleep(1000);
        }
    }
    ~Sleeper() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    detect::Finding finding(detect::Origin origin) const {
        auto made = finding_of("");
        made.process.pid = static_cast<std::uint32_t>(pid_);
        made.interpreter.exe = std::filesystem::canonical("/bin/sleep").string();
        made.code = {};
        made.code.origin = origin;
        return made;
    }

  private:
    pid_t pid_ = 0;
};

} // namespace

TEST_CASE("a script's digest, size and first line") {
    const OpenDir dir;
    const auto file = script_of(finding_of(dir.write("x.lua", "return 1\n")));
    CHECK(file.sha256 == digest_of_return_1);
    CHECK(file.size == 9);
    CHECK(file.first_line == "return 1");
    CHECK(!file.bytecode);
    CHECK(!file.note);
    CHECK(looked_up(finding_of(dir.path("x.lua"))).code.format == "text");
}

TEST_CASE("what is no text has no first line") {
    const OpenDir dir;
    const auto bytecode = looked_up(finding_of(dir.write("b", std::string("\x1bLua\x54\x00\x19", 7))));
    CHECK(bytecode.evidence->script->bytecode == "Lua 5.4");
    CHECK(bytecode.code.format == "bytecode");
    CHECK(!bytecode.evidence->script->first_line);
    CHECK(script_of(finding_of(dir.write("c", std::string("#!/usr/bin/luajit\n\x1bLJ\x02", 22)))).bytecode ==
          "LuaJIT 2");
    const auto other = looked_up(finding_of(dir.write("d", std::string("\x7f"
                                                                       "ELF\0\0",
                                                                       6))));
    CHECK(other.code.format == "unknown");
    CHECK(!other.evidence->script->first_line);
    CHECK(script_of(finding_of(dir.write("long", std::string(5000, 'x')))).first_line->size() ==
          plugin::most_first_line);
    CHECK(script_of(finding_of(dir.write("empty", ""))).first_line == "");
}

TEST_CASE("only regular files of this host are opened") {
    const OpenDir dir;
    const auto fifo = dir.path("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0644) == 0); // nobody will ever write: opening it would wait for ever
    CHECK_THAT(script_of(finding_of(fifo)).note.value(), has_text("a FIFO"));
    std::filesystem::create_symlink(fifo, dir.path("link"));
    CHECK_THAT(script_of(finding_of(dir.path("link"))).note.value(), has_text("a FIFO"));
    CHECK_THAT(script_of(finding_of("/dev/zero")).note.value(), has_text("a device"));
    CHECK_THAT(script_of(finding_of(dir.path())).note.value(), has_text("a directory"));
    CHECK_THAT(script_of(finding_of("/proc/kmsg")).note.value(), has_text("the kernel makes it up"));
    CHECK_THAT(script_of(finding_of(dir.path("none"))).note.value(), has_text("not there"));
    std::filesystem::create_symlink("loop", dir.path("loop"));
    CHECK_THAT(script_of(finding_of(dir.path("loop"))).note.value(), has_text("not there"));
}

TEST_CASE("nobody learns what is in a file that he may not read") {
    if (::geteuid() != 0) {
        WARN("only root can make files of others");
        return;
    }
    const OpenDir dir;
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
    const auto secret = dir.write("secret", "root:$y$secret\n");
    const auto hidden = [](const detect::FileEvidence& file) {
        return !file.first_line && !file.sha256 && !file.size && file.note && file.note->find("not read") == 0;
    };
    CHECK(script_of(finding_of(secret, nobody)).first_line == "root:$y$secret");
    std::filesystem::permissions(secret, std::filesystem::perms(0640));
    CHECK(hidden(script_of(finding_of(secret, nobody))));
    // Root's word alone, of a process that has ended: whoever asks could say so of any file.
    const auto claimed = script_of(finding_of(secret, 0));
    CHECK(!claimed.first_line);
    CHECK(claimed.sha256);
    CHECK_THAT(claimed.note.value(), has_text("root's alone"));
    REQUIRE(::chown(secret.c_str(), nobody, 0) == 0);
    CHECK(script_of(finding_of(secret, nobody)).first_line == "root:$y$secret");

    // Also not where a directory above keeps him out, and also not through a link.
    const auto below = dir.write("closed/open", "secret\n");
    std::filesystem::create_directory_symlink(dir.path("closed"), dir.path("door"));
    CHECK(!hidden(script_of(finding_of(dir.path("door/open"), nobody))));
    std::filesystem::permissions(dir.path("closed"), std::filesystem::perms(0700));
    CHECK(hidden(script_of(finding_of(below, nobody))));
    CHECK(hidden(script_of(finding_of(dir.path("door/open"), nobody))));
    auto unknown = finding_of(below);
    unknown.process.uid.reset();
    unknown.process.euid.reset();
    CHECK(hidden(script_of(unknown)));
}

TEST_CASE("who runs a process is asked of the process, and root's file must stand on its command line") {
    if (::geteuid() != 0) {
        WARN("only root can make files of others");
        return;
    }
    const OpenDir dir;
    const auto named = dir.write("1000", "secret\n"); // sleep's argument
    const auto other = dir.write("other", "secret\n");
    for (const auto& path : {named, other}) {
        std::filesystem::permissions(path, std::filesystem::perms(0600));
    }
    const Sleeper sleeper({}, dir.write("x", ""));
    auto finding = sleeper.finding(detect::Origin::script);
    finding.code.path = named;
    finding.process.uid = finding.process.euid = nobody; // a lie
    CHECK(script_of(finding).first_line == "secret");
    finding.code.path = other;
    CHECK(!script_of(finding).first_line);
}

TEST_CASE("links and dots below a process's root stay below it") {
    const OpenDir dir;
    dir.write("root/etc/x.lua", "return 1\n");
    dir.write("etc/x.lua", "outside\n");
    const auto link = [&dir](const char* to, const char* name) {
        std::filesystem::create_symlink(to, dir.path(std::string("root/") + name));
    };
    link("/etc/x.lua", "absolute");
    link("../../../etc/x.lua", "above");
    link("etc/../etc/./x.lua", "dots");
    link("directory", "loop");
    link("loop", "directory");
    link("/", "top");
    for (const char* path : {"/etc/x.lua", "/absolute", "/above", "/dots", "/../../etc//x.lua", "/top/top/absolute"}) {
        INFO(path);
        const auto file = plugin::SafeFile::open_below(dir.path("root"), path);
        REQUIRE(file.usable());
        CHECK(file.head() == "return 1\n");
    }
    for (const char* path : {"/loop", "/none", "/etc/x.lua/y", "/", "/.."}) {
        INFO(path);
        CHECK(!plugin::SafeFile::open_below(dir.path("root"), path).usable());
    }
}

TEST_CASE("only a program is hashed as an interpreter") {
    const OpenDir dir;
    auto finding = finding_of("");
    finding.interpreter.exe = dir.write("lua", "return 1\n");
    CHECK(!looked_up(finding).evidence->interpreter->sha256);
    CHECK_THAT(looked_up(finding).evidence->interpreter->note.value(), has_text("no longer a program"));
    std::filesystem::permissions(dir.path("lua"), std::filesystem::perms(0755));
    CHECK(looked_up(finding).evidence->interpreter->sha256 == digest_of_return_1);
}

TEST_CASE("another file in its place, or one that was written again, is said") {
    const OpenDir dir;
    const auto path = dir.write("x.lua", "return 1\n");
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    auto finding = finding_of(path);
    finding.code.inode = status.st_ino;
    CHECK(!script_of(finding).note);
    finding.code.inode = status.st_ino + 1;
    CHECK_THAT(script_of(finding).note.value(), has_text("another file"));
    finding.code.inode = status.st_ino;
    finding.time_ms = base::wall_clock_ms() - 60'000;
    CHECK_THAT(script_of(finding).note.value(), has_text("written again"));
}

TEST_CASE("a file that is too large is not hashed, and says so") {
    const OpenDir dir;
    const auto path = dir.write("large", "return 1\n");
    REQUIRE(::truncate(path.c_str(), static_cast<off_t>(plugin::most_hashed) + 1) == 0);
    const auto file = script_of(finding_of(path));
    CHECK(!file.sha256);
    CHECK(file.size == plugin::most_hashed + 1);
    CHECK_THAT(file.note.value(), has_text("not hashed"));
}

TEST_CASE("a digest is not remembered beyond a change") {
    const OpenDir dir;
    plugin::LookUps look_ups;
    const auto path = dir.write("x.lua", "return 1\n");
    auto first = finding_of(path);
    plugin::add_to(first, look_ups.look(plugin::asked_run(first)));
    auto again = finding_of(path);
    plugin::add_to(again, look_ups.look(plugin::asked_run(again)));
    CHECK(again.evidence->script->sha256 == digest_of_return_1);
    ::usleep(20'000); // a tick of the file system's clock
    dir.write("x.lua", "return 2\n");
    auto changed = finding_of(path);
    plugin::add_to(changed, look_ups.look(plugin::asked_run(changed)));
    CHECK(changed.evidence->script->sha256 != digest_of_return_1);
}

TEST_CASE("a process that still runs shows its program, its environment and its descriptors") {
    const OpenDir dir;
    const auto path = dir.write("x.lua", "return 1\n");
    const Sleeper sleeper(
        {"LUA_INIT=@/tmp/x", "LUA_PATH_5_4=/dev/shm/?.lua", "LUA_CPATH=" + std::string(4000, 'c'), "SECRET=1"}, path);
    const auto found = looked_up(sleeper.finding(detect::Origin::stdin_code));
    CHECK(!found.evidence->note);
    REQUIRE(found.evidence->environment.size() == 3);
    CHECK(found.evidence->environment[0] == "LUA_INIT=@/tmp/x");
    CHECK(found.evidence->environment[2].size() == plugin::most_variable);
    REQUIRE(found.evidence->interpreter);
    CHECK(found.evidence->interpreter->sha256.value_or("").size() == 64);
    CHECK(found.evidence->interpreter->size == std::filesystem::file_size("/bin/sleep"));
    REQUIRE(found.evidence->script); // lua < x.lua
    CHECK(found.evidence->script->sha256 == digest_of_return_1);

    auto by_number = sleeper.finding(detect::Origin::descriptor);
    by_number.code.argument = "/proc/self/fd/0";
    CHECK(script_of(by_number).sha256 == digest_of_return_1);
    by_number.code.argument = "/dev/fd/77";
    CHECK_THAT(script_of(by_number).note.value(), has_text("not there"));
    by_number.code.argument = "/dev/fd/../../etc/shadow";
    CHECK(!looked_up(by_number).evidence->script);
}

TEST_CASE("another process by the same pid tells nothing of a run") {
    const OpenDir dir;
    const Sleeper sleeper({"LUA_INIT=@/tmp/x"}, dir.write("x", ""));
    auto other = sleeper.finding(detect::Origin::stdin_code);
    other.interpreter.exe = "/usr/bin/lua5.4";
    CHECK_THAT(looked_up(other).evidence->note.value(), has_text("another program"));
    auto older = sleeper.finding(detect::Origin::stdin_code);
    older.time_ms = base::wall_clock_ms() - 3'600'000;
    const auto found = looked_up(older);
    CHECK_THAT(found.evidence->note.value(), has_text("has ended"));
    CHECK(found.evidence->environment.empty());
    CHECK_THAT(found.evidence->script->note.value(), has_text("has ended"));
}

TEST_CASE("an interpreter without a name is not taken for another file") {
    auto finding = finding_of("");
    for (const char* exe : {"/memfd:x (deleted)", "/tmp/lua (deleted)", "", "lua"}) {
        finding.interpreter.exe = exe;
        const auto found = looked_up(finding);
        REQUIRE(found.evidence->interpreter);
        CHECK(!found.evidence->interpreter->sha256);
        CHECK(found.evidence->interpreter->note);
    }
    finding.interpreter.exe.reset();
    CHECK(looked_up(finding).evidence->interpreter->note);
}

TEST_CASE("a question about a process is answered from its own environment and program") {
    const OpenDir dir;
    const Sleeper sleeper({"LUA_INIT=@/tmp/x"}, dir.write("x", ""));
    const plugin::LookUps look_ups;
    CHECK(look_ups.init_of(plugin::asked_run(sleeper.finding(detect::Origin::script))) == "LUA_INIT=@/tmp/x");
    CHECK(!look_ups.lua_in(plugin::asked_run(sleeper.finding(detect::Origin::script)))); // sleep has no Lua inside
    auto ended = sleeper.finding(detect::Origin::script);
    ended.time_ms = base::wall_clock_ms() - 3'600'000;
    CHECK(!look_ups.init_of(plugin::asked_run(ended)));
}

TEST_CASE("standard input that is a terminal is somebody who types") {
    const base::Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY));
    REQUIRE(master.get() >= 0);
    REQUIRE((::grantpt(master.get()) == 0 && ::unlockpt(master.get()) == 0));
    const Sleeper typed({}, ::ptsname(master.get()));
    auto finding = typed.finding(detect::Origin::stdin_code);
    finding.degraded = {detect::Degraded::input_unknown, detect::Degraded::no_baseline};
    const auto seen = looked_up(finding);
    CHECK(seen.code.origin == detect::Origin::interactive);
    CHECK(seen.degraded == std::vector{detect::Degraded::no_baseline});

    const OpenDir dir;
    const Sleeper redirected({}, dir.write("x", "os.execute('id')"));
    finding = redirected.finding(detect::Origin::stdin_code);
    finding.degraded = {detect::Degraded::input_unknown};
    const auto read = looked_up(finding);
    CHECK(read.code.origin == detect::Origin::stdin_code);
    CHECK(read.degraded == std::vector{detect::Degraded::input_unknown});
    CHECK(read.evidence->script->first_line == "os.execute('id')");
}

TEST_CASE("of a program that has ended the file by its name is looked at") {
    const OpenDir dir;
    auto finding = finding_of("");
    finding.time_ms = base::wall_clock_ms() - 3'600'000;
    finding.interpreter.exe = dir.write("kw", std::string("\x7f"
                                                          "ELF....$LuaVersion: Lua 5.4.4  Copyright"));
    const plugin::LookUps look_ups;
    CHECK(look_ups.lua_in(plugin::asked_run(finding)) == "Lua 5.4.4");
    finding.interpreter.exe = dir.write("x", "$LuaVersion: Lua 5.4.4  Copyright");
    CHECK(!look_ups.lua_in(plugin::asked_run(finding))); // no program
}

} // namespace look_up_test
