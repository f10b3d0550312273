#include "luatrail/detect/expectation.hpp"

#include "luatrail/base/error.hpp"
#include "luatrail/base/time.hpp"
#include "support/catch.hpp"

namespace luatrail::detect {
namespace {

constexpr std::string_view prosody = R"(schema = 1
[[expect]]
id         = "prosody"
executable = "/usr/bin/lua5.[1-4]"
user       = "prosody"
script     = "/usr/bin/prosody"
parent     = "/usr/lib/systemd/systemd"
because    = "package prosody depends on lua5.4"
expires    = 2027-06-30
)";

RunFacts prosody_run() {
    RunFacts facts;
    facts.time_ms = base::parse_time("2026-11-25T02:00:10Z").value();
    facts.exe = "/usr/bin/lua5.4";
    facts.user_name = "prosody";
    facts.uid = 110;
    facts.script = "/usr/bin/prosody";
    facts.parent_exe = "/usr/lib/systemd/systemd";
    facts.login = false;
    return facts;
}

RunFacts attack() {
    auto facts = prosody_run();
    facts.exe = "/usr/bin/luajit";
    facts.user_name = "www-data";
    facts.uid = 33;
    facts.script = "/dev/shm/.cache/u";
    facts.parent_exe = "/usr/bin/dash";
    return facts;
}

Baseline baseline_of(std::string_view toml) {
    Baseline baseline;
    baseline.load_text(toml, "b.toml");
    return baseline;
}

// One rule with these keys.
Baseline rule_of(const std::string& keys) {
    return baseline_of("schema = 1\n[[expect]]\nid = \"r\"\n" + keys + "\n");
}

std::string judged(const Baseline& baseline, const RunFacts& facts) {
    const auto made = baseline.judge(facts);
    return std::string(to_string(made.verdict)) + " [" + made.rule.value_or("-") + "] " + made.why;
}

TEST_CASE("without a baseline the verdict is unknown, with an empty one unexpected") {
    CHECK(judged(Baseline{}, attack()) == "unknown [-] no baseline was given");
    CHECK(judged(baseline_of("schema = 1"), attack()) == "unexpected [-] the baseline has no expectation");
    CHECK(baseline_of("schema = 1").given());
    CHECK_FALSE(Baseline{}.given());
}

TEST_CASE("a run that every key names is expected, for the rule's reason") {
    CHECK(judged(baseline_of(prosody), prosody_run()) ==
          "expected [prosody] expectation prosody: package prosody depends on lua5.4");
    CHECK(judged(rule_of("user = \"prosody\""), prosody_run()) == "expected [r] expectation r names it");
}

TEST_CASE("each key that differs makes the run unexpected, and the sentence names it") {
    const auto baseline = baseline_of(prosody);
    const auto with = [&baseline](auto change) {
        auto facts = prosody_run();
        change(facts);
        return judged(baseline, facts);
    };
    CHECK(with([](RunFacts& f) { f.exe = "/tmp/lua5.4"; }) ==
          "unexpected [-] no expectation names executable /tmp/lua5.4");
    CHECK(with([](RunFacts& f) { f.user_name = "www-data"; }) ==
          "unexpected [-] no expectation names user www-data for /usr/bin/lua5.4");
    CHECK(with([](RunFacts& f) { f.script = "/tmp/x"; }) ==
          "unexpected [-] no expectation names script /tmp/x for /usr/bin/lua5.4");
    CHECK(with([](RunFacts& f) { f.parent_exe = "/usr/bin/dash"; }) ==
          "unexpected [-] no expectation names parent /usr/bin/dash for /usr/bin/lua5.4");
}

TEST_CASE("a key that the log cannot answer does not match, and the sentence says what was not known") {
    const auto judge = [](const std::string& keys, auto forget) {
        auto facts = prosody_run();
        facts.script_package = "prosody";
        facts.unit = "prosody.service";
        forget(facts);
        return judged(rule_of(keys), facts);
    };
    CHECK(judge("user = \"prosody\"", [](RunFacts& f) { f.user_name.reset(); }) ==
          "unexpected [-] expectation r names user prosody, but neither the log nor an inventory gives the name of uid "
          "110");
    CHECK(judge("user = \"prosody\"", [](RunFacts& f) { f.user_name.reset(), f.uid.reset(); }) ==
          "unexpected [-] expectation r names user prosody, but the log does not say which user ran it");
    CHECK(judge("user = \"110\"", [](RunFacts& f) { f.uid.reset(); }) ==
          "unexpected [-] expectation r names user 110, but the log does not say which user ran it");
    CHECK(
        judge("user = \"service\"", [](RunFacts& f) { f.login.reset(); }) ==
        "unexpected [-] expectation r names user service, but the log does not say whether the run belongs to a login "
        "session");
    CHECK(judge("executable = \"/usr/bin/*\"", [](RunFacts& f) { f.exe.reset(); }) ==
          "unexpected [-] expectation r names executable /usr/bin/*, but the log does not say which program it was");
    CHECK(judge("script = \"/usr/bin/*\"", [](RunFacts& f) { f.script.reset(); }) ==
          "unexpected [-] expectation r names script /usr/bin/*, but the log names no script of this run");
    CHECK(judge("script_package = \"prosody\"", [](RunFacts& f) { f.script_package.reset(); }) ==
          "unexpected [-] expectation r names script_package prosody, but no inventory says which package owns "
          "/usr/bin/prosody");
    CHECK(judge("script_package = \"prosody\"", [](RunFacts& f) { f.script_package.reset(), f.script.reset(); }) ==
          "unexpected [-] expectation r names script_package prosody, but the log names no script of this run");
    CHECK(judge("parent = \"/usr/bin/*\"", [](RunFacts& f) { f.parent_exe.reset(); }) ==
          "unexpected [-] expectation r names parent /usr/bin/*, but the log does not say which program started it");
    CHECK(judge("unit = \"prosody.service\"", [](RunFacts& f) { f.unit.reset(); }) ==
          "unexpected [-] expectation r names unit prosody.service, but the log does not say which unit it belongs to");
    CHECK(judge("unit = \"prosody.service\"\nscript_package = \"prosody\"", [](RunFacts&) {}) ==
          "expected [r] expectation r names it");
}

TEST_CASE("a user is a name, a uid, a service or a login session") {
    auto service = prosody_run();
    auto person = prosody_run();
    person.login = true;
    person.user_name = "ada";
    person.uid = 1000;
    const auto verdict = [](const std::string& user, const RunFacts& facts) {
        return rule_of("user = \"" + user + "\"").judge(facts).verdict == Verdict::expected;
    };
    CHECK(verdict("service", service));
    CHECK_FALSE(verdict("service", person));
    CHECK(verdict("login", person));
    CHECK_FALSE(verdict("login", service));
    CHECK(verdict("110", service));
    CHECK(verdict("0110", service));
    CHECK_FALSE(verdict("1100", service));
    CHECK_FALSE(verdict("4294967406", service)); // 110 + 2^32
    CHECK(verdict("ada", person));
    CHECK_FALSE(verdict("Ada", person));
    CHECK_FALSE(verdict("", person));
    CHECK(judged(rule_of("user = \"login\""), service) ==
          "unexpected [-] no expectation names user prosody (a service) for /usr/bin/lua5.4");
}

TEST_CASE("a rule holds to the end of its last day and not a millisecond longer") {
    const auto baseline = baseline_of(prosody);
    auto facts = prosody_run();
    facts.time_ms = base::parse_time("2027-06-30T23:59:59.999Z").value();
    CHECK(baseline.judge(facts).verdict == Verdict::expected);
    ++facts.time_ms;
    CHECK(judged(baseline, facts) == "unexpected [-] expectation prosody matched, but expired after 2027-06-30");
    CHECK(baseline.explain(baseline.rules()[0], facts) == "matched, but expired after 2027-06-30");
}

TEST_CASE("the sentence is about the nearest rule, and stays true beside the others") {
    const auto two = baseline_of(R"(schema = 1
[[expect]]
id = "web"
executable = "/usr/bin/luajit"
user = "nginx"
[[expect]]
id = "cron"
executable = "/usr/bin/luajit"
script = "/usr/share/cron/*.lua"
user = "www-data"
)");
    CHECK(judged(two, attack()) == "unexpected [-] no expectation names script /dev/shm/.cache/u for /usr/bin/luajit");
    // Both come equally near, and the first names another user: but "no expectation names www-data" would be a lie.
    const auto tie = baseline_of(R"(schema = 1
[[expect]]
id = "web"
executable = "/usr/bin/luajit"
user = "nginx"
parent = "/usr/bin/dash"
[[expect]]
id = "cron"
executable = "/usr/bin/luajit"
user = "www-data"
script = "/usr/share/x.lua"
)");
    CHECK(judged(tie, attack()) == "unexpected [-] the nearest expectation, web, names user nginx and not www-data");
}

TEST_CASE("a rule that only lacks an answer is nearer than one that differs") {
    auto facts = attack();
    facts.script_package.reset();
    const auto baseline = baseline_of(R"(schema = 1
[[expect]]
id = "differs"
executable = "/usr/bin/luajit"
user = "nginx"
[[expect]]
id = "unanswered"
executable = "/usr/bin/luajit"
script_package = "tools"
)");
    CHECK(judged(baseline, facts) ==
          "unexpected [-] expectation unanswered names script_package tools, but no inventory "
          "says which package owns /dev/shm/.cache/u");
}

TEST_CASE("the first rule that matches is the one that is named") {
    const auto baseline =
        baseline_of("schema = 1\n[[expect]]\nid = \"a\"\nuser = \"x\"\n[[expect]]\nid = \"b\"\nuser = "
                    "\"prosody\"\n[[expect]]\nid = \"c\"\nuser = \"service\"\n");
    CHECK(baseline.judge(prosody_run()).rule == "b");
}

TEST_CASE("explain names the first key that differs") {
    const auto baseline = baseline_of(prosody);
    CHECK(baseline.explain(baseline.rules()[0], prosody_run()) == "every key matches");
    CHECK(baseline.explain(baseline.rules()[0], attack()) ==
          "names executable /usr/bin/lua5.[1-4], and the run has /usr/bin/luajit");
    auto nameless = prosody_run();
    nameless.user_name.reset();
    CHECK(baseline.explain(baseline.rules()[0], nameless) ==
          "names user prosody, but neither the log nor an inventory gives the name of uid 110");
}

TEST_CASE("several files add up, and keep their places") {
    Baseline baseline;
    baseline.load_text(prosody, "a.toml");
    baseline.load_text("schema = 1\n[[expect]]\nid = \"other\"\nuser = \"x\"", "b.toml");
    REQUIRE(baseline.rules().size() == 2);
    CHECK(baseline.rules()[0].source == "a.toml:2:1");
    CHECK(baseline.rules()[1].source == "b.toml:2:1");
}

std::string error_of(std::string_view toml) {
    Baseline baseline;
    try {
        baseline.load_text(toml, "b.toml");
    } catch (const base::Error& error) {
        CHECK_FALSE(baseline.given());
        CHECK(baseline.rules().empty());
        return error.what();
    }
    return "loaded";
}

TEST_CASE("a wrong baseline is refused whole, with place, key and remedy") {
    const std::string head = "schema = 1\n[[expect]]\nid = \"r\"\nuser = \"x\"\n";
    CHECK(error_of("") == "b.toml:1:1: schema: schema = 1 is required");
    CHECK(error_of("schema = \"1\"") == "b.toml:1:10: schema: expected integer, found string");
    CHECK(error_of("schema = 1\n[[expekt]]\n") == "b.toml:2:3: expekt: unknown key; did you mean `expect`?");
    CHECK(error_of("schema = 1\n[expect]\nid = \"r\"") ==
          "b.toml:2:1: expect: expected array of tables ([[expect]]), found table");
    CHECK(error_of(head + "excutable = \"/x\"") ==
          "b.toml:5:1: expect.excutable: unknown key; did you mean `executable`?");
    CHECK(error_of(head + "unit = 3") == "b.toml:5:8: expect.unit: expected string, found integer");
    CHECK(error_of("schema = 1\n[[expect]]\nuser = \"x\"") == "b.toml:2:1: expect.id: missing; it is required here");
    CHECK(error_of("schema = 1\n[[expect]]\nid = \"\"\nuser = \"x\"") ==
          "b.toml:3:6: expect.id: an expectation has an id that findings can name");
    CHECK(error_of(head + "[[expect]]\nid = \"r\"\nuser = \"y\"") ==
          "b.toml:6:6: expect.id: `r` is the id of the expectation at b.toml:2:1 too");
    CHECK(
        error_of("schema = 1\n[[expect]]\nid = \"r\"\nbecause = \"why not\"") ==
        "b.toml:3:6: expect.id: expectation `r` would match every run; give at least one of executable, user, script, "
        "script_package, code, parent, unit");
    CHECK(error_of(head + "expires = \"2027-06-30\"") ==
          "b.toml:5:11: expect.expires: expected date (2027-06-30, without quotes and time), found string");
    CHECK(error_of(head + "expires = 2027-06-30T12:00:00Z") ==
          "b.toml:5:11: expect.expires: expected date (2027-06-30, without quotes and time), found date-time");
    CHECK(error_of(head + "executable = \"lua*\"") ==
          "b.toml:5:14: expect.executable: compared with an absolute path, and could never match; start it with / (or "
          "with **/ for any directory)");
    CHECK(error_of(head + "expires = 2027-02-30").find("b.toml:5:") == 0);
    CHECK(error_of(head + "user = \"y\"").find("b.toml:5:") == 0);
    CHECK(error_of("schema = 1\n[[expect]\n").find("b.toml:2:") == 0);
    CHECK(error_of(std::string(100'000, '[')).find("b.toml:1:") == 0);
}

} // namespace
} // namespace luatrail::detect
