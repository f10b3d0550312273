#include <sstream>
#include <string>

#include "luatrail/base/text.hpp"
#include "luatrail/report/text.hpp"
#include "report/findings.hpp"
#include "support/catch.hpp"

using namespace luatrail;

namespace {

bool harmless_lines(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto step = base::utf8_step(text, at);
        if (!step.valid || (base::hides(step.character) && step.character != U'\n')) {
            return false;
        }
        at += step.length;
    }
    return true;
}

std::size_t widest(const std::string& text) {
    std::istringstream lines(text);
    std::size_t width = 0;
    for (std::string line; std::getline(lines, line);) {
        width = std::max(width, line.size());
    }
    return width;
}

} // namespace

TEST_CASE("a person reads what ran, who ran it, how it got there and why it matters") {
    CHECK(report::to_text(test::dropped_script(), {}) == R"(CRITICAL  2026-11-25T02:00:10.666Z  web01
luajit run by www-data on a script that bash dropped 4 ms earlier in
/dev/shm/.cache

What ran
  interpreter  /usr/bin/luajit
               luajit, known by its path, package luajit
  code         a script file
  as given     ./u
  path         /dev/shm/.cache/u

Who ran it
  user         www-data (uid 33, euid 33, login uid none)
  session      none, no terminal
  directory    /dev/shm/.cache
  command      luajit ./u
  process      10258, parent 10257, named luajit

How it got there
  - script dropped (created) 4 ms before the run
    /dev/shm/.cache/u
    by /usr/bin/bash (pid 10255, uid 0)
    in the process tree of the run
    event 1795572010.662:108274
  - in shared memory
    /dev/shm/.cache/u
    event 1795572010.666:108286

Process tree
  10257 /usr/bin/dash (uid 33): sh -c 'cd /dev/shm/.cache; luajit ./u'
    10258 /usr/bin/luajit <- this run

Why critical
  unexpected   no expectation names user www-data for luajit
  - no expectation names user www-data for luajit [unexpected-user]
  - bash (pid 10255, uid 0) created /dev/shm/.cache/u 4 ms before the run, in
    the same process tree [script-drop]
  - /dev/shm/.cache/u lies in shared memory, which leaves no trace on disk
    [shared-memory]

Look further
  FILE is the saved log; on the host itself, leave '-if FILE' out.
  TZ=UTC LC_ALL=C ausearch -i -if FILE -a 108286 -ts 11/25/26 02:00:10 \
      -te 11/25/26 02:00:10
  TZ=UTC LC_ALL=C ausearch -i -if FILE -a 108274 -ts 11/25/26 02:00:10 \
      -te 11/25/26 02:00:10
  ls -li -- /dev/shm/.cache/u
  sha256sum -- /dev/shm/.cache/u

finding 5b0c1f0e9a7d3c42
)");
}

TEST_CASE("what is not known is said to be unknown") {
    CHECK(report::to_text(test::bare(), {}) == R"(INFO  1970-01-01T00:00:00.000Z
an unknown program run by an unknown user on unknown code

What ran
  interpreter  unknown
               lua, known by its path
  code         unknown

Who ran it
  user         name unknown (uid unknown, euid unknown, login uid none)
  session      none, no terminal
  directory    unknown
  command      (no arguments in the log)
  process      0, parent unknown

How it got there
  Nothing that counts as a drop was seen in the window before the run.

Process tree
  0 unknown <- this run

Why info
  unknown      no baseline was given
  - no baseline was given [no-baseline]

finding 0000000000000001
)");
}

TEST_CASE("inline code, a login, a rule, a follow-up, blind spots and the first finding have their places") {
    detect::Finding f = test::bare();
    f.severity = detect::Severity::medium;
    f.code.origin = detect::Origin::inline_code;
    f.code.inline_text = "os.execute('sh')\nprint(\"\x1b[2J\")";
    f.process.uid = 1000;
    f.process.euid = 0;
    f.process.auid = 1000;
    f.process.user = "ann";
    f.process.session = 3;
    f.process.tty = "pts0";
    f.process.cwd = "/home/ann/my files ";
    f.process.unit = "web.service";
    f.process.container = "c0ffee";
    f.expectation = {.verdict = detect::Verdict::expected,
                     .reason = detect::ExpectationReason::expected,
                     .rule = "admins",
                     .because = "ann may"};
    detect::ChainEntry shell;
    shell.kind = detect::ChainKind::child_shell;
    shell.age_ms = 61'000;
    shell.event = {5'000, 6};
    shell.same_tree = false;
    f.chain = {shell};
    f.degraded = {detect::Degraded::lost_records, detect::Degraded::no_lineage};
    f.follows = "00000000000000aa";
    CHECK(report::to_text(f, {}) == R"(MEDIUM  1970-01-01T00:00:00.000Z
an unknown program run by ann on code from its command line; it then started a
shell

What ran
  interpreter  unknown
               lua, known by its path
  code         inline code on the command line
  | os.execute('sh')
  | print("\x1b[2J")

Who ran it
  user         ann (uid 1000, euid 0, login uid 1000)
  session      3, terminal pts0
  directory    '/home/ann/my files '
  command      (no arguments in the log)
  process      0, parent unknown
  unit         web.service
  container    c0ffee

How it got there
  - shell started by Lua 1 min 1 s after the run
    in another process tree than the run
    event 5.000:6

Process tree
  0 unknown <- this run

Why medium
  expected     by rule admins: expectation admins: ann may
  - expectation admins: ann may [expected]
  - an unknown process was started by the run 1 min 1 s after it began
    [child-shell]

Blind spots
  - Audit records were lost around this time; other steps may be missing.
  - The parent processes are unknown: the log starts too late or has no forks.

finding 0000000000000001, raises 00000000000000aa
)");
}

TEST_CASE("lines keep to the width wherever their words allow it") {
    for (const std::size_t width : {60U, 80U, 120U}) {
        CAPTURE(width);
        report::TextStyle style;
        style.width = width;
        CHECK(widest(report::to_text(test::dropped_script(), style)) <= width);
    }
    report::TextStyle narrow;
    narrow.width = 1; // counts as 40: a column narrower than the labels would be none
    report::TextStyle forty;
    forty.width = 40;
    CHECK(report::to_text(test::dropped_script(), narrow) == report::to_text(test::dropped_script(), forty));
}

TEST_CASE("nothing from a log reaches the terminal raw, and its size is bounded") {
    const auto hostile = report::to_text(test::hostile(), {});
    CHECK(harmless_lines(hostile));
    CHECK(hostile.find(R"(exe\x1b[31m)") != std::string::npos);
    const auto huge = report::to_text(test::huge(), {});
    CHECK(harmless_lines(huge));
    CHECK(huge.size() < 400'000);
    CHECK(huge.find("more ancestors") != std::string::npos);
    CHECK(huge.find("more links") != std::string::npos);
    CHECK(huge.find("more reasons") != std::string::npos);
    CHECK(huge.find("more events") != std::string::npos);
    CHECK(huge.find("arguments more]") != std::string::npos);
    CHECK(huge.find("bytes more]") != std::string::npos);
    CHECK(huge.find("sha256sum") == std::string::npos); // of a path that is cut
}

TEST_CASE("colour adds escape sequences and changes nothing else") {
    report::TextStyle colour;
    colour.colour = true;
    auto finding = test::dropped_script();
    for (const auto severity : {detect::Severity::info, detect::Severity::low, detect::Severity::medium,
                                detect::Severity::high, detect::Severity::critical}) {
        finding.severity = severity;
        auto text = report::to_text(finding, colour);
        CHECK(text.find("\x1b[") == 0);
        for (auto start = text.find('\x1b'); start != std::string::npos; start = text.find('\x1b')) {
            text.erase(start, text.find('m', start) - start + 1);
        }
        CHECK(text == report::to_text(finding, {}));
    }
}

TEST_CASE("what somebody's program is for has its article") {
    auto finding = test::bare();
    detect::ChainEntry drop;
    drop.kind = detect::ChainKind::script_drop;
    drop.event = {5'000, 6};
    drop.by = detect::Actor{};
    drop.by->pid = 7;
    const auto shown = [&](const std::string& kind) {
        drop.by->kind = kind;
        finding.chain = {drop};
        return report::to_text(finding, {});
    };
    CHECK(shown("editor").find("uid unknown), an editor\n") != std::string::npos);
    CHECK(shown("shell").find("uid unknown), a shell\n") != std::string::npos);
}
