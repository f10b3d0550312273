#include "luatrail/detect/baseline.hpp"

#include <set>
#include <vector>

#include "luatrail/base/error.hpp"
#include "luatrail/base/time.hpp"
#include "support/catch.hpp"

namespace luatrail::detect::baseline_test {
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
    auto text = std::string(to_string(made.verdict)) + " [" + made.rule.value_or("-") + "] " +
                std::string(to_string(made.reason));
    if (made.nearest) {
        text += " near " + *made.nearest;
    }
    if (made.missed) {
        text += " wanted " + made.missed->wanted + " found " + made.missed->found.value_or("-");
    }
    return text;
}

TEST_CASE("without a baseline the verdict is unknown, with an empty one unexpected") {
    CHECK(judged(Baseline{}, attack()) == "unknown [-] no-baseline");
    CHECK(judged(baseline_of("schema = 1"), attack()) == "unexpected [-] unexpected-run");
    CHECK(baseline_of("schema = 1").given());
    CHECK_FALSE(Baseline{}.given());
}

TEST_CASE("a run that every key names is expected, for the rule's reason") {
    CHECK(judged(baseline_of(prosody), prosody_run()) == "expected [prosody] expected");
    CHECK(judged(rule_of("user = \"prosody\""), prosody_run()) == "expected [r] expected");
}

TEST_CASE("each key that differs makes the run unexpected, and the facts say which") {
    const auto baseline = baseline_of(prosody);
    const auto with = [&baseline](auto change) {
        auto facts = prosody_run();
        change(facts);
        return judged(baseline, facts);
    };
    CHECK(with([](RunFacts& f) { f.exe = "/tmp/lua5.4"; }) ==
          "unexpected [-] unexpected-executable near prosody wanted /usr/bin/lua5.[1-4] found /tmp/lua5.4");
    CHECK(with([](RunFacts& f) { f.user_name = "www-data"; }) ==
          "unexpected [-] unexpected-user near prosody wanted prosody found www-data");
    CHECK(with([](RunFacts& f) { f.script = "/tmp/x"; }) ==
          "unexpected [-] unexpected-script near prosody wanted /usr/bin/prosody found /tmp/x");
    CHECK(with([](RunFacts& f) { f.parent_exe = "/usr/bin/dash"; }) ==
          "unexpected [-] unexpected-parent near prosody wanted /usr/lib/systemd/systemd found /usr/bin/dash");
}

TEST_CASE("every key that the log cannot answer does not match, and the facts say what was not known") {
    // A fact less a row, and what is then not known of a rule with that key.
    struct Row {
        RuleKey key;
        std::string_view value;
        void (*forget)(RunFacts&);
        Unanswered unanswered;
        void (*also)(RunFacts&) = [](RunFacts&) {}; // what the run has for this key alone
    };
    const std::vector<Row> rows{
        {RuleKey::executable, "/usr/bin/*", [](RunFacts& f) { f.exe.reset(); }, Unanswered::program},
        {RuleKey::user, "prosody", [](RunFacts& f) { f.user_name.reset(); }, Unanswered::user_name},
        {RuleKey::user, "prosody", [](RunFacts& f) { f.user_name.reset(), f.uid.reset(); }, Unanswered::user},
        {RuleKey::user, "110", [](RunFacts& f) { f.uid.reset(); }, Unanswered::user},
        {RuleKey::user, "service", [](RunFacts& f) { f.login.reset(); }, Unanswered::login},
        {RuleKey::script, "/usr/bin/*", [](RunFacts& f) { f.script.reset(); }, Unanswered::script},
        {RuleKey::script_package, "prosody", [](RunFacts& f) { f.script_package.reset(); }, Unanswered::owner},
        {RuleKey::script_package, "prosody", [](RunFacts& f) { f.script_package.reset(), f.script.reset(); },
         Unanswered::script},
        {RuleKey::code, "os.exit()", [](RunFacts& f) { f.code.reset(); }, Unanswered::code,
         [](RunFacts& f) { f.code = "os.exit()"; }},
        {RuleKey::modules, "socket", [](RunFacts& f) { f.modules.clear(); }, Unanswered::modules,
         [](RunFacts& f) { f.modules = {"socket"}; }},
        {RuleKey::parent, "/usr/**", [](RunFacts& f) { f.parent_exe.reset(); }, Unanswered::parent},
        {RuleKey::unit, "prosody.service", [](RunFacts& f) { f.unit.reset(); }, Unanswered::unit},
    };
    std::set<RuleKey> asked;
    std::set<Unanswered> lacked;
    for (const auto& row : rows) {
        auto facts = prosody_run();
        facts.script_package = "prosody";
        facts.unit = "prosody.service";
        row.also(facts);
        const auto value = "\"" + std::string(row.value) + "\"";
        const auto baseline = rule_of(std::string(to_string(row.key)) + " = " +
                                      (row.key == RuleKey::modules ? "[" + value + "]" : value));
        CHECK(baseline.judge(facts).verdict == Verdict::expected);
        row.forget(facts);
        const auto made = baseline.judge(facts);
        CHECK(made.verdict == Verdict::unexpected);
        CHECK(made.reason == missed_reason(row.key));
        CHECK(made.missed.value().key == row.key);
        CHECK(made.missed->unanswered == row.unanswered);
        asked.insert(row.key);
        lacked.insert(row.unanswered);
    }
    CHECK(asked.size() == rule_keys - 1);         // `interactive` always has an answer
    CHECK(lacked.size() == unanswered_kinds - 1); // arguments that were lost: below
}

TEST_CASE("an expectation covers no more than it names: each thing that a run has beside it is unexpected") {
    constexpr std::string_view job = R"(schema = 1
[[expect]]
id         = "job"
executable = "/usr/bin/lua5.4"
user       = "prosody"
script     = "/usr/bin/prosody"
)";
    struct Row {
        void (*add)(RunFacts&);
        ExpectationReason reason;
        std::string_view found;
        std::string_view key; // that names it; empty: none can
    };
    const std::vector<Row> rows{
        {[](RunFacts& f) { f.code = "os.execute('id')"; }, ExpectationReason::unexpected_also_code, "os.execute('id')",
         "code = \"os.execute('id')\"\n"},
        {[](RunFacts& f) { f.code = ""; }, ExpectationReason::unexpected_also_code, "", "code = \"**\"\n"},
        {[](RunFacts& f) {
             f.modules = {"jit.evil", "x"};
         },
         ExpectationReason::unexpected_also_module, "jit.evil, x", "modules = [\"jit.*\", \"x\"]\n"},
        {[](RunFacts& f) { f.interactive = true; }, ExpectationReason::unexpected_interactive, "-",
         "interactive = true\n"},
        {[](RunFacts& f) {
             f.scripts = {"/usr/bin/prosody", "/tmp/x.lua"};
         },
         ExpectationReason::unexpected_also_script, "/tmp/x.lua", ""},
        {[](RunFacts& f) { f.arguments_lost = true; }, ExpectationReason::unexpected_also_code, "-", ""},
    };
    const auto expects = baseline_of(job);
    CHECK(expects.judge(prosody_run()).verdict == Verdict::expected);
    const auto by_user = rule_of("executable = \"/usr/bin/lua5.4\"\nuser = \"prosody\"");
    CHECK(by_user.judge(prosody_run()).verdict == Verdict::expected);
    for (const auto& row : rows) {
        auto facts = prosody_run();
        row.add(facts);
        const auto made = expects.judge(facts);
        CHECK(made.verdict == Verdict::unexpected);
        CHECK(made.reason == row.reason);
        CHECK(made.nearest == "job");
        CHECK(made.missed.value().unnamed);
        CHECK(made.missed->found.value_or("-") == row.found);
        if (row.reason != ExpectationReason::unexpected_also_script) { // any script is named there
            CHECK(by_user.judge(facts).reason == row.reason);
        }
        if (!row.key.empty()) { // named, it is expected, and a run without it is not
            const auto names_it = baseline_of(std::string(job) + std::string(row.key));
            CHECK(names_it.judge(facts).verdict == Verdict::expected);
            CHECK(names_it.judge(prosody_run()).verdict == Verdict::unexpected);
        }
    }
    auto other = prosody_run();
    other.modules = {"socket", "evil"};
    const auto named = baseline_of(std::string(job) + "modules = [\"socket\"]\n");
    CHECK(judged(named, other) == "unexpected [-] unexpected-modules near job wanted socket found evil");
    auto packaged = prosody_run();
    packaged.script_package = "prosody";
    const auto of_package = rule_of("script_package = \"prosody\"");
    CHECK(of_package.judge(packaged).verdict == Verdict::expected);
    packaged.scripts = {"/tmp/x.lua"};
    CHECK(of_package.judge(packaged).reason == ExpectationReason::unexpected_also_script);
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
    auto raw = prosody_run(); // without names, root is root all the same
    raw.user_name = {};
    raw.uid = 0;
    CHECK(verdict("root", raw));
    CHECK_FALSE(verdict("ada", raw));
    raw.uid = 1000;
    CHECK_FALSE(verdict("root", raw));
    CHECK(judged(rule_of("user = \"login\""), service) ==
          "unexpected [-] unexpected-user near r wanted login found prosody");
}

TEST_CASE("a rule holds to the end of its last day and not a millisecond longer") {
    const auto baseline = baseline_of(prosody);
    auto facts = prosody_run();
    facts.time_ms = base::parse_time("2027-06-30T23:59:59.999Z").value();
    CHECK(baseline.judge(facts).verdict == Verdict::expected);
    ++facts.time_ms;
    CHECK(judged(baseline, facts) == "unexpected [-] unexpected-expired near prosody");
    const auto compared = compare(baseline.rules()[0], facts);
    CHECK(compared.expired);
    CHECK(!compared.missed);
    CHECK(!compared.matches());
}

TEST_CASE("what is told is of the nearest rule, and whether another names what it missed") {
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
    CHECK(judged(two, attack()) ==
          "unexpected [-] unexpected-script near cron wanted /usr/share/cron/*.lua found /dev/shm/.cache/u");
    CHECK_FALSE(two.judge(attack()).named_elsewhere);
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
    CHECK(judged(tie, attack()) == "unexpected [-] unexpected-user near web wanted nginx found www-data");
    CHECK(tie.judge(attack()).named_elsewhere);
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
    CHECK(judged(baseline, facts) == "unexpected [-] unexpected-script-package near unanswered wanted tools found -");
}

TEST_CASE("without an inventory the script's whole path stands for its package") {
    auto facts = prosody_run();
    facts.script_package.reset();
    const auto named = [](std::string_view script) {
        return rule_of("executable = \"/usr/bin/lua5.4\"\n" + std::string(script) + "\nscript_package = \"prosody\"");
    };
    const auto whole = named("script = \"" + *facts.script + "\"");
    CHECK(whole.judge(facts).verdict == Verdict::unexpected); // the inventory does not know it
    facts.owners_known = false;
    CHECK(whole.judge(facts).verdict == Verdict::expected);
    CHECK(whole.judge(facts).package_unchecked);
    CHECK(named("script = \"/usr/**\"").judge(facts).verdict == Verdict::unexpected);
    CHECK(named("").judge(facts).verdict == Verdict::unexpected);
    CHECK(named("script = \"/usr/bin/other\"").judge(facts).verdict == Verdict::unexpected);
    facts.script_package = "other";
    CHECK(whole.judge(facts).verdict == Verdict::unexpected);
}

TEST_CASE("the first rule that matches is the one that is named") {
    const auto baseline =
        baseline_of("schema = 1\n[[expect]]\nid = \"a\"\nuser = \"x\"\n[[expect]]\nid = \"b\"\nuser = "
                    "\"prosody\"\n[[expect]]\nid = \"c\"\nuser = \"service\"\n");
    CHECK(baseline.judge(prosody_run()).rule == "b");
}

TEST_CASE("a comparison holds the first key that differs, else the first without an answer") {
    const auto baseline = baseline_of(prosody);
    const auto& rule = baseline.rules()[0];
    CHECK(compare(rule, prosody_run()).matches());
    auto nameless = attack();
    nameless.user_name.reset();
    nameless.exe.reset();
    CHECK(compare(rule, nameless).missed.value().key == RuleKey::script);
    nameless = prosody_run();
    nameless.user_name.reset();
    const auto missed = compare(rule, nameless).missed.value();
    CHECK(missed.key == RuleKey::user);
    CHECK(missed.unanswered == Unanswered::user_name);
    CHECK(missed.uid == 110U);
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
    CHECK(error_of(head + "modules = \"socket\"").find("b.toml:5:11: expect.modules: expected ") == 0);
    CHECK(error_of(head + "interactive = \"yes\"").find("b.toml:5:15: expect.interactive: expected ") == 0);
    CHECK(error_of(head + "unit = 3") == "b.toml:5:8: expect.unit: expected string, found integer");
    CHECK(error_of("schema = 1\n[[expect]]\nuser = \"x\"") == "b.toml:2:1: expect.id: missing; it is required here");
    CHECK(error_of("schema = 1\n[[expect]]\nid = \"\"\nuser = \"x\"") ==
          "b.toml:3:6: expect.id: an expectation has an id that findings can name");
    CHECK(error_of(head + "[[expect]]\nid = \"r\"\nuser = \"y\"") ==
          "b.toml:6:6: expect.id: `r` is the id of the expectation at b.toml:2:1 too");
    CHECK(
        error_of("schema = 1\n[[expect]]\nid = \"r\"\nbecause = \"why not\"") ==
        "b.toml:3:6: expect.id: expectation `r` would match every run; give at least one of executable, user, script, "
        "script_package, code, parent, unit, modules, interactive");
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
} // namespace luatrail::detect::baseline_test
