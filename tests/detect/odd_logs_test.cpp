// Logs that broke other collectors, from public reports: processes, files and runs.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/log.hpp"

namespace odd_logs_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;
using Briefs = std::vector<std::string>;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;

const Who shell{.pid = 10, .ppid = 1, .exe = "/usr/bin/bash"};
const Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4", .user = "www-data"};

// An event written out: what the test says, record by record. SYSCALL's common fields are added.
class Raw {
  public:
    Raw& event(std::string_view call, const Who& who, std::string_view exe = {}) {
        ++serial_;
        const std::string quoted = "\"" + who.exe + "\"";
        return record("SYSCALL", fmt::format("arch=c000003e {} ppid={} pid={} auid=1000 uid={} gid=0 euid={} tty=pts0 "
                                             "ses=3 comm=\"x\" exe={} key=(null)",
                                             call, who.ppid, who.pid, who.uid, who.uid, exe.empty() ? quoted : exe));
    }
    Raw& record(std::string_view type, std::string_view body) {
        text += fmt::format("type={} msg=audit({}.000:{}): {}\n", type, start / 1000, serial_, body);
        return *this;
    }
    Raw& path(int item, std::string_view name, int inode, std::string_view nametype,
              std::string_view mode = "0100644") {
        return record("PATH",
                      fmt::format("item={} name={} inode={} dev=fe:00 mode={} ouid=0 ogid=0 rdev=00:00 nametype={}",
                                  item, name, inode, mode, nametype));
    }
    std::string text;

  private:
    int serial_ = 100;
};

constexpr auto open_call = "syscall=257 success=yes exit=3 a0=ffffff9c a1=1 a2=241 a3=1b6 items=2";
constexpr auto exec_call = "syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=2";

Raw& run_lua(Raw& raw, std::string_view script, std::string_view cwd = "\"/\"") {
    return raw.event(exec_call, lua)
        .record("EXECVE", fmt::format("argc=2 a0=\"lua\" a1={}", script))
        .record("CWD", fmt::format("cwd={}", cwd))
        .path(0, "\"/usr/bin/lua5.4\"", 900, "NORMAL", "0100755")
        .path(1, "\"/lib64/ld-linux-x86-64.so.2\"", 901, "NORMAL", "0100755");
}

} // namespace

TEST_CASE("of 44,000 arguments the script's is kept, and what was left out is said") {
    std::vector<std::string> argv = {"lua", "/tmp/x.lua"};
    argv.resize(44000, std::string(80, 'x'));
    Log log;
    // As the kernel writes it: records of at most 7500 bytes.
    log.at(start).create(shell, "/tmp/x.lua", 700).fork(shell, 20);
    std::string text = log.text;
    const std::string stamp = fmt::format("audit({}.000:9000)", start / 1000);
    text += "type=SYSCALL msg=" + stamp + ": arch=c000003e " + exec_call +
            " ppid=10 pid=20 uid=33 tty=pts0 comm=\"lua\" exe=\"/usr/bin/lua5.4\" key=(null)\n";
    std::string record = "argc=44000";
    for (std::size_t i = 0; i < argv.size(); ++i) {
        record += fmt::format(" a{}=\"{}\"", i, argv[i]);
        if (record.size() > 7400 || i + 1 == argv.size()) {
            text += "type=EXECVE msg=" + stamp + ": " + record + "\n";
            record.clear();
        }
    }
    text += "type=CWD msg=" + stamp + ": cwd=\"/\"\n";
    const auto made = replay(text);
    REQUIRE(made.briefs == Briefs{"high script: script-drop/create | partial-event truncated-argv no-baseline"});
    CHECK(made.findings.front().code.path == "/tmp/x.lua");
}

TEST_CASE("a run of which only PROCTITLE tells the arguments is a run of that script") {
    Raw raw;
    raw.event(open_call, shell)
        .record("CWD", "cwd=\"/\"")
        .path(0, "\"/tmp/\"", 2, "PARENT", "041777")
        .path(1, "\"/tmp/x.lua\"", 700, "CREATE");
    raw.event(exec_call, lua).record("CWD", "cwd=\"/\"").path(0, "\"/usr/bin/lua5.4\"", 900, "NORMAL", "0100755");
    raw.path(1, "\"/lib64/ld-linux-x86-64.so.2\"", 901, "NORMAL", "0100755");
    raw.record("PROCTITLE", "proctitle=6C7561002F746D702F782E6C7561"); // lua /tmp/x.lua
    CHECK(replay(raw.text).briefs == Briefs{"high script: script-drop/create | no-baseline"});
}

TEST_CASE("a shell's search for a program is as many failed execs, and one run") {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700).fork(shell, 20);
    const Who child{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/bash"};
    for (const auto* directory : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin", "/opt/bin"}) {
        log.failed_exec(child, std::string(directory) + "/lua5.4");
    }
    const auto none = replay(log.text);
    CHECK(none.briefs.empty());
    CHECK(none.counters.failed_execs == 5);
    log.exec(lua, {"lua5.4", "/tmp/x.lua"});
    const auto made = replay(log.text);
    CHECK(made.briefs == Briefs{"high script: script-drop/create | no-baseline"});
    CHECK(made.counters.failed_execs == 5);
    CHECK(made.counters.runs == 1);
}

TEST_CASE("an exec of a process that nobody knows is a run") {
    Log log;
    log.at(start).exec({.pid = 20, .ppid = 19, .uid = 33, .exe = "/usr/bin/lua5.4"}, {"lua5.4", "/tmp/x.lua"});
    CHECK(replay(log.text).briefs == Briefs{"info script: | no-baseline no-lineage"});
}

TEST_CASE("an exec of a memfd through its descriptor has no name but its executable's") {
    Raw raw;
    raw.event("syscall=319 success=yes exit=3 a0=1 a1=1 a2=0 a3=0 items=0", shell);
    raw.event("syscall=322 success=yes exit=0 a0=3 a1=7ffd a2=2 a3=3 items=2", {.pid = 10, .ppid = 1, .exe = ""},
              "2F6D656D66643A6C7561202864656C6574656429") // /memfd:lua (deleted)
        .record("EXECVE", "argc=2 a0=\"lua\" a1=\"/tmp/x.lua\"")
        .record("CWD", "cwd=\"/\"")
        .path(0, "\"\"", 5, "NORMAL", "0100777")
        .path(1, "\"/lib64/ld-linux-x86-64.so.2\"", 901, "NORMAL", "0100755");
    const auto made = replay(raw.text);
    REQUIRE(made.briefs.size() == 1);
    CHECK(made.briefs.front() == "high script: memfd | no-baseline");
    CHECK(made.findings.front().interpreter.exe == "/memfd:lua (deleted)");
    REQUIRE(made.findings.front().chain.front().by);
    CHECK(made.findings.front().chain.front().by->exe == "/usr/bin/bash"); // who made the memfd
}

TEST_CASE("an interpreter that its package's upgrade replaced is the same program, and no deleted file") {
    const auto briefs_of = [](const std::string& exe) {
        std::string hex;
        for (const unsigned char c : exe) {
            hex += fmt::format("{:02X}", c);
        }
        Raw raw;
        raw.event(exec_call, lua, hex)
            .record("EXECVE", "argc=2 a0=\"lua5.4\" a1=\"/usr/share/app/x.lua\"")
            .record("CWD", "cwd=\"/\"")
            .path(0, "\"/usr/bin/lua5.4\"", 900, "NORMAL", "0100755")
            .path(1, "\"/lib64/ld-linux-x86-64.so.2\"", 901, "NORMAL", "0100755");
        return replay(raw.text).briefs;
    };
    for (const std::string suffix : {";58d1ccfb", ".#prelink#.a1B2c3"}) {
        CAPTURE(suffix);
        const Briefs benign = {"info script: | no-baseline no-lineage"};
        CHECK(briefs_of("/usr/bin/lua5.4" + suffix) == benign);
        CHECK(briefs_of("/usr/bin/lua5.4" + suffix + " (deleted)") == benign);
        // A name that anybody can give proves nothing.
        const Briefs deleted = {"high script: deleted-file | no-baseline no-lineage"};
        CHECK(briefs_of("/tmp/lua5.4" + suffix + " (deleted)") == deleted);
        CHECK(briefs_of("/usr/local/bin/lua5.4" + suffix + " (deleted)") == deleted);
        CHECK(briefs_of("/usr/bin/lua5.4 (deleted)") == deleted);
    }
}

TEST_CASE("who dropped and who ran is told by process, not by pid") {
    Log log;
    // Pid 10 drops and exits; its pid comes back as another user's shell, whose child runs the script.
    log.at(start).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700).exit(shell);
    const Who other{.pid = 10, .ppid = 5, .uid = 1000, .exe = "/usr/bin/zsh"};
    log.at(start + 10).exec(other, {"zsh"}).fork(other, 20).exec(lua, {"lua5.4", "/tmp/x.lua"});
    const auto made = replay(log.text);
    REQUIRE(made.findings.size() == 1);
    const auto& finding = made.findings.front();
    CHECK(finding.chain.front().by->exe == "/usr/bin/bash");
    CHECK(finding.chain.front().same_tree == false);
    REQUIRE(!finding.ancestors.empty());
    CHECK(finding.ancestors.front().exe == "/usr/bin/zsh");
}

TEST_CASE("an orphan that pid 1 adopted keeps the parent that made it") {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700).fork(shell, 20).exit(shell);
    auto orphan = lua;
    orphan.ppid = 1;
    log.exec(orphan, {"lua5.4", "/tmp/x.lua"});
    const auto made = replay(log.text);
    REQUIRE(made.findings.size() == 1);
    CHECK(made.findings.front().ancestors.front().exe == "/usr/bin/bash");
    CHECK(made.findings.front().chain.front().same_tree == true);
}

TEST_CASE("a #! script's caller names the script, the kernel the interpreter") {
    const auto run = [](std::string_view arguments) {
        Raw raw;
        raw.event(open_call, shell)
            .record("CWD", "cwd=\"/tmp\"")
            .path(0, "\"/tmp\"", 2, "PARENT", "041777")
            .path(1, "\"x.lua\"", 700, "CREATE", "0100755");
        raw.event("syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=3", lua)
            .record("EXECVE", arguments)
            .record("CWD", "cwd=\"/tmp\"")
            .path(0, "\"./x.lua\"", 700, "NORMAL", "0100755")
            .path(1, "\"/usr/bin/lua\"", 900, "NORMAL", "0100755")
            .path(2, "\"/lib64/ld-linux-x86-64.so.2\"", 901, "NORMAL", "0100755");
        return replay(raw.text);
    };
    const auto plain = run("argc=2 a0=\"/usr/bin/lua\" a1=\"./x.lua\"");
    REQUIRE(plain.briefs == Briefs{"high script: script-drop/create | no-baseline"});
    CHECK(plain.findings.front().code.path == "/tmp/x.lua");
    // "#!/usr/bin/lua -": lua(1) reads its standard input then, and not the script.
    const auto dash = run("argc=3 a0=\"/usr/bin/lua\" a1=\"-\" a2=\"./x.lua\"");
    REQUIRE(dash.findings.size() == 1);
    CHECK(dash.findings.front().code.origin == detect::Origin::stdin_code);
    CHECK(dash.findings.front().process.argv == Briefs{"/usr/bin/lua", "-", "./x.lua"});
}

TEST_CASE("a script without #! that the kernel refused is no run of Lua") {
    Raw raw;
    raw.event(open_call, shell)
        .record("CWD", "cwd=\"/\"")
        .path(0, "\"/tmp/\"", 2, "PARENT", "041777")
        .path(1, "\"/tmp/s.lua\"", 700, "CREATE", "0100755");
    raw.event("syscall=59 success=no exit=-8 a0=1 a1=2 a2=3 a3=4 items=1", shell)
        .record("CWD", "cwd=\"/tmp\"")
        .path(0, "\"./s.lua\"", 700, "NORMAL", "0100755");
    const auto made = replay(raw.text);
    CHECK(made.briefs.empty());
    CHECK(made.counters.failed_execs == 1);
}

TEST_CASE("a file without a name in its record is known by its inode") {
    Raw raw;
    raw.event(open_call, shell)
        .record("CWD", "cwd=\"/\"")
        .path(0, "\"/tmp/\"", 2, "PARENT", "041777")
        .path(1, "\"/tmp/x.lua\"", 700, "CREATE");
    // fchmod(2): the item has no name.
    raw.event("syscall=91 success=yes exit=0 a0=3 a1=1ed a2=0 a3=0 items=1", shell).path(0, "(null)", 700, "NORMAL");
    run_lua(raw, "\"/tmp/x.lua\"");
    const auto made = replay(raw.text);
    REQUIRE(made.findings.size() == 1);
    for (const auto& entry : made.findings.front().chain) {
        CHECK(entry.path == "/tmp/x.lua");
    }
}

TEST_CASE("a name relative to a descriptor is not taken for one of the current directory") {
    // The PARENT item of an *at call shows the current directory's name with the right inode.
    const auto run = [](bool directory_known, std::string_view script) {
        Raw raw;
        if (directory_known) {
            raw.event("syscall=83 success=yes exit=0 a0=1 a1=1ed a2=0 a3=0 items=2", shell)
                .record("CWD", "cwd=\"/\"")
                .path(0, "\"/home/u/kernel/\"", 76, "PARENT", "040755")
                .path(1, "\"/home/u/kernel/audit\"", 77, "CREATE", "040755");
        }
        raw.event("syscall=257 success=yes exit=4 a0=5 a1=1 a2=241 a3=1b6 items=2", shell)
            .record("CWD", "cwd=\"/home/u\"")
            .path(0, "\"/home/u\"", 77, "PARENT", "040755")
            .path(1, "\"x.lua\"", 700, "CREATE");
        run_lua(raw, script);
        auto made = replay(raw.text);
        REQUIRE(made.findings.size() == 1);
        return made;
    };
    const auto known = run(true, "\"/home/u/kernel/audit/x.lua\"");
    REQUIRE(known.briefs == Briefs{"high script: script-drop/create | no-baseline"});
    CHECK(known.findings.front().chain.front().path == "/home/u/kernel/audit/x.lua");
    CHECK(run(true, "\"/home/u/x.lua\"").briefs == Briefs{"info script: | no-baseline"});
    // Where nobody told of the directory, the current one is a guess, and said to be one.
    const auto guessed = run(false, "\"/home/u/x.lua\"");
    CHECK(guessed.briefs == Briefs{"high script: script-drop/create | no-baseline path-uncertain"});
}

TEST_CASE("AT_FDCWD is the current directory in either width") {
    for (const auto* descriptor : {"ffffff9c", "ffffffffffffff9c"}) {
        CAPTURE(descriptor);
        Raw raw;
        raw.event(fmt::format("syscall=257 success=yes exit=4 a0={} a1=1 a2=241 a3=1b6 items=2", descriptor), shell)
            .record("CWD", "cwd=\"/tmp\"")
            .path(0, "\"/tmp\"", 2, "PARENT", "041777")
            .path(1, "\"x.lua\"", 700, "CREATE");
        run_lua(raw, "\"/tmp/x.lua\"");
        const auto made = replay(raw.text);
        REQUIRE(made.briefs == Briefs{"high script: script-drop/create | no-baseline"});
        CHECK(made.findings.front().chain.front().path == "/tmp/x.lua");
    }
}

TEST_CASE("names with blanks and of any bytes are the same file wherever they stand") {
    Raw raw;
    raw.event(open_call, shell)
        .record("CWD", "cwd=2F746D702F6120622063") // /tmp/a b c
        .path(0, "2F746D702F6120622063", 2, "PARENT", "041777")
        .path(1, "66696C65C3B1FF", 700, "CREATE");
    run_lua(raw, "66696C65C3B1FF", "2F746D702F6120622063");
    const auto made = replay(raw.text);
    REQUIRE(made.findings.size() == 1);
    CHECK(made.findings.front().code.path == "/tmp/a b c/file\xc3\xb1\xff");
    REQUIRE(made.findings.front().chain.size() == 1);
    CHECK(made.findings.front().chain.front().path == "/tmp/a b c/file\xc3\xb1\xff");
}

TEST_CASE("a dropped file that was renamed to its last name is a dropped script") {
    Raw raw;
    raw.event(open_call, shell)
        .record("CWD", "cwd=\"/\"")
        .path(0, "\"/tmp/\"", 2, "PARENT", "041777")
        .path(1, "\"/tmp/x\"", 700, "CREATE");
    raw.event("syscall=316 success=yes exit=0 a0=ffffff9c a1=1 a2=ffffff9c a3=2 items=4", shell)
        .record("CWD", "cwd=\"/\"")
        .path(0, "\"/tmp/\"", 2, "PARENT", "041777")
        .path(1, "\"/opt/\"", 3, "PARENT", "040755")
        .path(2, "\"/tmp/x\"", 700, "DELETE")
        .path(3, "\"/opt/x.lua\"", 700, "CREATE");
    run_lua(raw, "\"/opt/x.lua\"");
    const auto made = replay(raw.text);
    REQUIRE(made.findings.size() == 1);
    CHECK(made.briefs.front().starts_with("high script: script-drop/create script-drop/rename"));
}

TEST_CASE("an event that was stored twice is one finding") {
    Raw raw;
    run_lua(raw, "\"/tmp/x.lua\"");
    std::string twice;
    for (std::size_t at = 0; at < raw.text.size();) {
        const auto end = raw.text.find('\n', at) + 1;
        twice += raw.text.substr(at, end - at) + raw.text.substr(at, end - at);
        at = end;
    }
    CHECK(replay(twice).findings.size() == 1);
    CHECK(replay(raw.text + raw.text).findings.size() == 1);
}

TEST_CASE("lost records are told in the findings after them") {
    Log log;
    log.at(start).exec(shell, {"bash"});
    const auto kernel = fmt::format(
        "type=KERNEL msg=audit({}.000:9): audit_lost=494217 audit_rate_limit=0 audit_backlog_limit=64\n", start / 1000);
    log.text += kernel;
    log.fork(shell, 20).exec(lua, {"lua5.4", "/usr/share/x.lua"});
    const auto made = replay(log.text);
    CHECK(made.briefs == Briefs{"info script: | lost-records no-baseline"});
    CHECK(made.counters.losses == 1);
}

TEST_CASE("inodes up to 2^64 - 1 name files (FUSE, NFS, gocryptfs)") {
    for (const std::uint64_t inode : {9'223'372'036'854'775'807ULL, 9'223'372'036'854'775'808ULL,
                                      14'920'808'378'658'256'559ULL, 18'446'744'073'709'551'615ULL}) {
        INFO(inode);
        Log log;
        log.at(start).exec(shell, {"bash"}).create(shell, "/mnt/pool/b.lua", inode).fork(shell, 20).at(start + 10);
        CHECK(replay(log.exec(lua, {"lua5.4", "b.lua"}, "/mnt/pool").text).briefs ==
              Briefs{"high script: script-drop/create | no-baseline"});
        Log moved; // also where only the inode connects the two names
        moved.at(start).exec(shell, {"bash"}).create(shell, "/mnt/pool/b.lua", inode).fork(shell, 20).at(start + 10);
        moved.exec(lua, {"lua5.4", "/srv/old.lua"}).read(lua, "/mnt/pool/link.lua", inode);
        CHECK(replay(moved.text).briefs.back() == "high script: module-drop/create | no-baseline");
    }
}

namespace {

// A drop, then a run of which the SYSCALL record is missing, or only its first bytes are left.
std::string run_without_its_call(std::string_view rest_of_call, std::string_view execve, std::string_view exe,
                                 bool paths = true) {
    Log log;
    log.at(start).create(shell, "/tmp/x.lua", 700);
    Raw raw;
    raw.text = log.text;
    if (!rest_of_call.empty()) {
        raw.record("SYSCALL", rest_of_call);
    }
    raw.record("EXECVE", execve);
    if (paths) {
        raw.record("CWD", "cwd=\"/tmp\"")
            .path(0, exe, 900, "NORMAL", "0100755")
            .path(1, "\"/lib64/ld-linux-x86-64.so.2\"", 901, "NORMAL", "0100755");
    }
    return raw.text;
}

} // namespace

TEST_CASE("an EXECVE of Lua without its SYSCALL is a finding, which says that nobody knows who ran it") {
    const auto lua54 = R"("/usr/bin/lua5.4")";
    const auto read = [](const std::string& text) {
        auto found = replay(text);
        REQUIRE(found.findings.size() == 1);
        return found.findings.front();
    };
    const auto whole = read(run_without_its_call({}, R"(argc=2 a0="lua" a1="x.lua")", lua54));
    CHECK(whole.severity == detect::Severity::high);
    CHECK(whole.code.path == "/tmp/x.lua");
    CHECK(whole.interpreter.exe == "/usr/bin/lua5.4");
    CHECK(whole.process.pid == 0);
    CHECK(whole.process.argv == std::vector<std::string>{"lua", "x.lua"});
    const auto marks = [](const detect::Finding& finding, detect::Degraded mark) {
        return std::count(finding.degraded.begin(), finding.degraded.end(), mark) == 1;
    };
    CHECK(marks(whole, detect::Degraded::no_process));
    CHECK(marks(whole, detect::Degraded::partial_event));
    CHECK(marks(whole, detect::Degraded::lost_records));

    // Cut before its pid, the call is known to have been an exec.
    const auto cut =
        read(run_without_its_call("arch=c000003e syscall=59 succ", R"(argc=2 a0="lua" a1="x.lua")", lua54));
    CHECK(cut.id == whole.id);
    // Without PATH the first word is all that names the program.
    CHECK(read(run_without_its_call({}, R"(argc=2 a0="lua5.4" a1="/tmp/x.lua")", "", false)).severity ==
          detect::Severity::high);
    // A #! script: its interpreter is the second item.
    const auto script =
        read(run_without_its_call({}, R"(argc=2 a0="/usr/bin/lua" a1="/tmp/x.lua")", R"("/tmp/x.lua")"));
    CHECK(script.interpreter.profile == "lua");
    CHECK(script.code.path == "/tmp/x.lua");

    CHECK(replay(run_without_its_call({}, R"(argc=2 a0="ls" a1="/tmp/x.lua")", R"("/usr/bin/ls")")).briefs.empty());
    CHECK(replay(run_without_its_call({}, R"(argc=2 a0="lua" a1="-v")", lua54)).briefs.empty());
    CHECK(
        replay(run_without_its_call("arch=c000003e syscall=59 success=no exi", R"(argc=2 a0="lua" a1="x.lua")", lua54))
            .briefs.empty());
}

TEST_CASE("standard input of a run without its SYSCALL may be a terminal") {
    const auto found = replay(run_without_its_call({}, R"(argc=1 a0="lua")", R"("/usr/bin/lua5.4")"));
    REQUIRE(found.findings.size() == 1);
    CHECK(found.findings.front().severity == detect::Severity::info);
    CHECK(found.findings.front().code.origin == detect::Origin::stdin_code);
}

TEST_CASE("what comes behind a run whose process is not known is not said to follow it") {
    auto text = run_without_its_call({}, R"(argc=2 a0="lua" a1="x.lua")", R"("/usr/bin/lua5.4")");
    Log log;
    log.at(start + 60'000).exec({.pid = 30, .ppid = 20, .exe = "/usr/bin/dash"}, {"sh", "-c", "id"});
    text += log.text;
    CHECK(replay(text).findings.size() == 1);
}

} // namespace odd_logs_test
