#include "luatrail/detect/engine.hpp"

#include "luatrail/detect/reason.hpp"
#include "support/catch.hpp"
#include "support/log.hpp"

namespace engine_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;
using Briefs = std::vector<std::string>;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;
constexpr std::int64_t minute = 60'000;

const Who shell{.pid = 10, .ppid = 1, .exe = "/usr/bin/bash"};
const Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4", .user = "www-data"};

// A shell that drops /tmp/x.lua, then lua as its child that runs it `later` ms after.
Log dropped_and_run(std::int64_t later) {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700).fork(shell, 20);
    log.at(start + later).exec(lua, {"lua5.4", "/tmp/x.lua"});
    return log;
}

detect::EngineOptions with_baseline(const char* rules) {
    detect::EngineOptions options;
    options.baseline.load_text(rules, "baseline.toml");
    return options;
}

} // namespace

TEST_CASE("a dropped script that is run within the window is a finding, and says who dropped it and when") {
    const auto made = replay(dropped_and_run(4).text);
    REQUIRE(made.briefs == Briefs{"high script: script-drop/create | no-baseline"});
    const auto& finding = made.findings.front();
    CHECK(finding.chain.front().age_ms == 4);
    CHECK(finding.chain.front().by->pid == 10);
    CHECK(finding.chain.front().same_tree == true);
    CHECK(finding.code.path == "/tmp/x.lua");
    REQUIRE(finding.ancestors.size() == 1);
    CHECK(finding.ancestors.front().exe == "/usr/bin/bash");
    CHECK(finding.events.size() == 2);
    CHECK(finding.events.front().time_ms == start + 4);
}

TEST_CASE("the window's last millisecond counts, the next one does not") {
    CHECK(replay(dropped_and_run(10 * minute).text).briefs == Briefs{"high script: script-drop/create | no-baseline"});
    CHECK(replay(dropped_and_run(10 * minute + 1).text).briefs == Briefs{"info script: | no-baseline"});
    detect::EngineOptions wider;
    wider.window_ms = 11 * minute;
    CHECK(replay(dropped_and_run(10 * minute + 1).text, std::move(wider)).briefs ==
          Briefs{"high script: script-drop/create | no-baseline"});
}

TEST_CASE("each cell of the severity table is reached by a run") {
    struct Row {
        const char* what;
        const char* rules; // null: no baseline
        bool drop, shm, shell;
        Briefs findings;
    };
    constexpr auto expects = "schema = 1\n[[expect]]\nid = \"all\"\nexecutable = \"/usr/bin/lua5.4\"\n";
    constexpr auto other = "schema = 1\n[[expect]]\nid = \"other\"\nuser = \"prosody\"\n";
    const std::vector<Row> table = {
        {"unknown, nothing", nullptr, false, false, false, {"info script: | no-baseline"}},
        {"unknown, a follow-up alone", nullptr, false, false, true, {"info script: | no-baseline"}},
        {"unknown, a drop", nullptr, true, false, false, {"high script: script-drop/create | no-baseline"}},
        {"unknown, both",
         nullptr,
         true,
         true,
         false,
         {"critical script: script-drop/create shared-memory | no-baseline"}},
        {"unknown, a drop and a follow-up",
         nullptr,
         true,
         false,
         true,
         {"high script: script-drop/create | no-baseline",
          "critical script: script-drop/create child-shell | no-baseline"}},
        {"expected, nothing", expects, false, false, false, {}},
        {"expected, a follow-up alone", expects, false, false, true, {}},
        {"expected, a drop", expects, true, false, false, {"medium script: script-drop/create |"}},
        {"expected, a memory artifact", expects, false, true, false, {"medium script: shared-memory |"}},
        {"expected, both", expects, true, true, false, {"high script: script-drop/create shared-memory |"}},
        {"unexpected, nothing", other, false, false, false, {"low script: |"}},
        {"unexpected, a follow-up alone", other, false, false, true, {"low script: |", "medium script: child-shell |"}},
        {"unexpected, a drop", other, true, false, false, {"high script: script-drop/create |"}},
        {"unexpected, both", other, true, true, false, {"critical script: script-drop/create shared-memory |"}},
    };
    for (const auto& row : table) {
        INFO(row.what);
        const std::string script = row.shm ? "/dev/shm/x.lua" : "/srv/x.lua";
        Log log;
        log.at(start).exec(shell, {"bash"});
        if (row.drop) {
            log.create(shell, script, 700);
        }
        log.fork(shell, 20).at(start + 10).exec(lua, {"lua5.4", script});
        if (row.shell) {
            log.fork(lua, 30)
                .at(start + 20)
                .exec({.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"}, {"sh", "-c", "id"});
        }
        auto options = row.rules == nullptr ? detect::EngineOptions{} : with_baseline(row.rules);
        const auto made = replay(log.text, std::move(options));
        CHECK(made.briefs == row.findings);
        if (made.findings.size() == 2) {
            CHECK(made.findings[1].follows == made.findings[0].id);
        }
    }
}

TEST_CASE("a failed exec, a version call and another program's argument are no runs") {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700);
    log.failed_exec(shell, "/usr/local/bin/lua5.4");
    log.exec(lua, {"lua5.4", "-v"});
    log.exec({.pid = 21, .ppid = 10, .exe = "/usr/bin/vim.basic"}, {"vim", "/tmp/x.lua"});
    const auto made = replay(log.text);
    CHECK(made.briefs == Briefs{});
    CHECK(made.counters.failed_execs == 1);
    CHECK(made.counters.version_calls == 1);
    CHECK(made.counters.runs == 0);
}

TEST_CASE("two nodes with the same times, serials and pids stay apart") {
    Log web("web01"), db("db01");
    web.at(start)
        .exec(shell, {"bash"})
        .create(shell, "/tmp/x.lua", 700)
        .at(start + 5)
        .exec(lua, {"lua5.4", "/srv/other.lua"});
    db.at(start).exec(shell, {"bash"}).exec(shell, {"bash"}).at(start + 5).exec(lua, {"lua5.4", "/tmp/x.lua"});
    const auto made = replay(web.text + db.text);
    CHECK(made.briefs == Briefs{"info script: | no-baseline", "info script: | no-baseline"});
    REQUIRE(made.findings.size() == 2);
    CHECK(made.findings[0].node == "web01");
    CHECK(made.findings[1].node == "db01");
    CHECK(made.findings[0].id != made.findings[1].id);
}

TEST_CASE("the same log given twice tells each finding once") {
    const auto text = dropped_and_run(4).text;
    CHECK(replay(text + text).briefs == replay(text).briefs);
}

TEST_CASE("lost records near a run are told, long past ones are not") {
    const auto with_loss_at = [](std::int64_t ago) {
        Log log;
        log.at(start - ago).lone("KERNEL", "audit_lost=17 audit_rate_limit=0 audit_backlog_limit=64");
        log.text += dropped_and_run(4).text;
        return replay(log.text).briefs;
    };
    CHECK(with_loss_at(minute) == Briefs{"high script: script-drop/create | lost-records no-baseline"});
    CHECK(with_loss_at(60 * minute) == Briefs{"high script: script-drop/create | no-baseline"});
}

TEST_CASE("a run whose parent the log does not know says so") {
    Log log;
    log.at(start).exec(lua, {"lua5.4", "/srv/x.lua"});
    CHECK(replay(log.text).briefs == Briefs{"info script: | no-baseline no-lineage"});
}

TEST_CASE("a ledger that had to forget drops of the window says so instead of keeping silent") {
    Log log;
    log.at(start).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700);
    for (std::uint64_t junk = 0; junk < 60'000; ++junk) {
        log.create(shell, fmt::format("/tmp/junk-{}-{}", junk, std::string(200, 'j')), 10'000 + junk);
    }
    log.at(start + minute).exec(lua, {"lua5.4", "/tmp/x.lua"});
    detect::EngineOptions options;
    options.memory = 8UL * 1024 * 1024;
    const auto made = replay(log.text, std::move(options));
    REQUIRE(made.findings.size() == 1);
    CHECK(made.briefs.front() == "info script: | no-baseline evicted");
    CHECK(made.counters.evicted_files > 0);
}

TEST_CASE("after a boot, pids name other processes") {
    Log log;
    log.at(start).exec(shell, {"bash"}).fork(shell, 20).exec(lua, {"lua5.4", "/srv/x.lua"});
    log.at(start + minute)
        .lone("SYSTEM_BOOT",
              "pid=1 uid=0 auid=4294967295 ses=4294967295 msg=' comm=\"systemd-update-utmp\" res=success'");
    log.at(start + 2 * minute).exec({.pid = 30, .ppid = 20, .exe = "/usr/bin/dash"}, {"sh"});
    const auto made = replay(log.text);
    CHECK(made.briefs ==
          Briefs{"info script: | no-baseline"}); // the shell is no child of the run of pid 20 before the boot
}

TEST_CASE("a package manager's own files are no drops; a program that only bears its name is none") {
    const auto by = [](const Who& who, bool itself_dropped) {
        Log log;
        log.at(start).exec(shell, {"bash"});
        if (itself_dropped) {
            log.create(shell, who.exe, 650);
        }
        log.exec(who, {"dpkg", "-i", "x.deb"})
            .create(who, "/opt/x.lua", 700)
            .fork(shell, 20)
            .at(start + 10)
            .exec(lua, {"lua5.4", "/opt/x.lua"});
        return replay(log.text).briefs;
    };
    const Briefs drop{"high script: script-drop/create | no-baseline"};
    CHECK(by({.pid = 15, .ppid = 10, .uid = 0, .exe = "/usr/bin/dpkg"}, false) == Briefs{"info script: | no-baseline"});
    CHECK(by({.pid = 15, .ppid = 10, .uid = 0, .exe = "/tmp/dpkg"}, false) == drop);
    CHECK(by({.pid = 15, .ppid = 10, .uid = 33, .exe = "/usr/bin/dpkg"}, false) == drop);
    CHECK(by({.pid = 15, .ppid = 10, .uid = 0, .exe = "/usr/bin/bash"}, false) == drop); // argv[0] says dpkg
    CHECK(by({.pid = 15, .ppid = 10, .uid = 0, .exe = "/usr/bin/dpkg"}, true) == drop);  // dropped over the real one
}

TEST_CASE("bare lua reads a pipe where another child of its parent was born with it, else nobody knows") {
    const Who typed{.pid = 20, .ppid = 10, .uid = 1000, .exe = "/usr/bin/lua5.4", .user = "ann", .tty = "pts0"};
    Log alone;
    alone.at(start).exec(shell, {"bash"}).at(start + 5000).fork(shell, 20).exec(typed, {"lua5.4"});
    CHECK(replay(alone.text).briefs == Briefs{"info stdin: | input-unknown no-baseline"});
    Log piped;
    piped.at(start).exec(shell, {"bash"}).at(start + 5000).fork(shell, 19).fork(shell, 20).exec(typed, {"lua5.4"});
    CHECK(replay(piped.text).briefs == Briefs{"high stdin: | no-baseline"});
    Log after; // the producer had ended before: not a pipeline
    after.at(start)
        .exec(shell, {"bash"})
        .at(start + 5000)
        .fork(shell, 19)
        .exit({.pid = 19, .ppid = 10, .exe = "/usr/bin/bash"});
    after.at(start + 5100).fork(shell, 20).exec(typed, {"lua5.4"});
    CHECK(replay(after.text).briefs == Briefs{"info stdin: | input-unknown no-baseline"});
}

TEST_CASE("an expectation that the run misses is named in the reasons by its key") {
    auto options =
        with_baseline("schema = 1\n[[expect]]\nid = \"web\"\nexecutable = \"/usr/bin/lua5.4\"\nuser = \"root\"\n");
    const auto made = replay(dropped_and_run(4).text, std::move(options));
    REQUIRE(made.findings.size() == 1);
    const auto& finding = made.findings.front();
    CHECK(finding.expectation.verdict == detect::Verdict::unexpected);
    REQUIRE(finding.expectation.missed);
    CHECK(finding.expectation.missed->wanted == "root");
    CHECK(finding.expectation.missed->found == "www-data");
    const auto reasons = reasons_of(finding);
    REQUIRE(reasons.size() == 2);
    CHECK(id_of(finding, reasons[0]) == "unexpected-user");
    CHECK(id_of(finding, reasons[1]) == "script-drop");
}

TEST_CASE("a new policy counts from the next event on") {
    struct Feed final : audit::EventSink {
        explicit Feed(detect::Engine& to) : engine(to) {}
        void on_event(const audit::Event& event) override { engine.on_event(event); }
        detect::Engine& engine;
    };
    test::Findings findings;
    detect::Engine engine({}, findings);
    const auto run = [&](std::int64_t time) {
        const std::string body = "arch=c000003e syscall=59 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0 ppid=1 "
                                 "pid=20 auid=0 uid=33 euid=33 tty=(none) ses=1 "
                                 "comm=\"lua\" exe=\"/usr/bin/lua\" key=(null)";
        const std::vector<audit::Record> records = {
            {.id = {time, 1}, .type = 1300, .type_name = "SYSCALL", .node = {}, .body = body, .enriched = {}},
            {.id = {time, 1},
             .type = 1309,
             .type_name = "EXECVE",
             .node = {},
             .body = "argc=2 a0=\"lua\" a1=\"/x.lua\"",
             .enriched = {}}};
        engine.on_event({.id = {time, 1}, .node = {}, .records = records});
    };
    run(start);
    detect::Baseline baseline;
    baseline.load_text("schema = 1\n[[expect]]\nid = \"all\"\nuser = \"33\"\n", "new.toml");
    detect::EngineOptions options;
    options.baseline = std::move(baseline);
    engine.set_options(std::move(options));
    run(start + 1000);
    CHECK(findings.all.size() == 1);
    CHECK(engine.counters().expected_runs == 1);
}

TEST_CASE("records that are missing from another event mark the findings near it") {
    const auto marks = [](int items) {
        Log log;
        log.at(start).exec(shell, {"bash"});
        log.call({.pid = 12, .ppid = 10, .exe = "/usr/bin/id"}, 257,
                 "success=yes exit=3 a0=ffffff9c a1=1 a2=0 a3=0 items=" + std::to_string(items));
        log.at(start + 1000)
            .fork(shell, 20)
            .exec({.pid = 20, .ppid = 10, .exe = "/usr/bin/lua5.4"}, {"lua5.4", "-e", "x"});
        return replay(log.text).briefs;
    };
    CHECK(marks(0) == Briefs{"info inline: | no-baseline"});
    CHECK(marks(2) ==
          Briefs{"info inline: | lost-records no-baseline"}); // the kernel's backlog was full: no serial is missing
}

} // namespace engine_test
