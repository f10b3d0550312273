#include "luatrail/report/expectation_words.hpp"

#include <set>

#include "luatrail/base/time.hpp"
#include "support/catch.hpp"

namespace luatrail::report {
namespace {

using detect::Baseline;
using detect::RunFacts;

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

// What its first rule says of a run.
std::string explained(const Baseline& baseline, const RunFacts& facts) {
    const auto& rule = baseline.rules().at(0);
    return words(rule, compare(rule, facts));
}

std::string judged(const Baseline& baseline, const RunFacts& facts) {
    const auto made = baseline.judge(facts);
    return std::string(to_string(made.verdict)) + " [" + made.rule.value_or("-") + "] " + words(made);
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

TEST_CASE("what a run has beside what the entry names is told") {
    const auto also = [](auto add) {
        auto facts = prosody_run();
        add(facts);
        const auto baseline = baseline_of(prosody);
        CHECK(explained(baseline, facts).starts_with("does not cover this run: "));
        return judged(baseline, facts);
    };
    const std::string head = "unexpected [-] expectation prosody does not cover this run: ";
    CHECK(also([](RunFacts& f) { f.code = "os.execute('id')"; }) ==
          head + "it also has code on its command line, and none is named: os.execute('id')");
    CHECK(also([](RunFacts& f) { f.modules = {"a", "b"}; }) == head + "it also loads a, b, and no module is named");
    CHECK(also([](RunFacts& f) { f.interactive = true; }) ==
          head + "it also reads code from standard input, which is not named");
    CHECK(also([](RunFacts& f) { f.scripts = {"/tmp/x"}; }) ==
          head + "it also runs /tmp/x, and only /usr/bin/prosody is named");
    CHECK(also([](RunFacts& f) { f.arguments_lost = true; }) == head + "some of its command line is not known");
    CHECK(judged(rule_of("interactive = true"), prosody_run()) ==
          "unexpected [-] expectation r is of runs that read code from standard input, and this one does not");
    CHECK(judged(rule_of("modules = [\"a\", \"b*\"]"), prosody_run()) ==
          "unexpected [-] expectation r names modules a, b*, but this run names no module on its command line");
}

TEST_CASE("a user is a name, a uid, a service or a login session") {
    auto service = prosody_run();
    auto person = prosody_run();
    person.login = true;
    person.user_name = "ada";
    person.uid = 1000;
    const auto verdict = [](const std::string& user, const RunFacts& facts) {
        return rule_of("user = \"" + user + "\"").judge(facts).verdict == detect::Verdict::expected;
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
    CHECK(baseline.judge(facts).verdict == detect::Verdict::expected);
    ++facts.time_ms;
    CHECK(judged(baseline, facts) == "unexpected [-] expectation prosody matched, but expired after 2027-06-30");
    CHECK(explained(baseline, facts) == "matched, but expired after 2027-06-30");
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

TEST_CASE("explain names the first key that differs") {
    const auto baseline = baseline_of(prosody);
    CHECK(explained(baseline, prosody_run()) == "every key matches");
    CHECK(explained(baseline, attack()) == "names executable /usr/bin/lua5.[1-4], and the run has /usr/bin/luajit");
    auto nameless = prosody_run();
    nameless.user_name.reset();
    CHECK(explained(baseline, nameless) ==
          "names user prosody, but neither the log nor an inventory gives the name of uid 110");
}

TEST_CASE("every reason has words of its own, and every key and every answer that a log lacks too") {
    std::set<std::string> told;
    for (std::size_t at = 0; at < detect::expectation_reasons; ++at) {
        detect::Expectation one{.reason = static_cast<detect::ExpectationReason>(at), .rule = "r", .nearest = "n"};
        for (std::size_t key = 0; key < detect::rule_keys; ++key) {
            if (detect::missed_reason(static_cast<detect::RuleKey>(key)) == one.reason) {
                one.missed = detect::KeyMiss{.key = static_cast<detect::RuleKey>(key), .wanted = "w", .found = "f"};
            } else if (detect::unnamed_reason(static_cast<detect::RuleKey>(key)) == one.reason) {
                one.missed = detect::KeyMiss{
                    .key = static_cast<detect::RuleKey>(key), .wanted = "w", .found = "f", .unnamed = true};
            }
        }
        const auto sentence = words(one);
        CHECK(!sentence.empty());
        const bool altered = one.reason == detect::ExpectationReason::altered_interpreter ||
                             one.reason == detect::ExpectationReason::altered_module; // as the script's
        CHECK(told.insert(sentence).second != altered);
    }
    for (std::size_t at = 0; at < detect::unanswered_kinds; ++at) {
        const detect::KeyMiss missed{.wanted = "w", .unanswered = static_cast<detect::Unanswered>(at)};
        CHECK(told.insert(words(detect::Expectation{.nearest = "n", .missed = missed})).second);
    }
}

TEST_CASE("an altered file and code of the environment are told") {
    CHECK(words(detect::Expectation{.reason = detect::ExpectationReason::altered_script,
                                    .nearest = "prosody",
                                    .path = "/usr/bin/altered",
                                    .package = "prosody"}) ==
          "expectation prosody matches, but /usr/bin/altered is not as package prosody brought it");
    CHECK(words(detect::Expectation{.reason = detect::ExpectationReason::environment_code}) ==
          "its environment brings code that runs before its script");
}

} // namespace
} // namespace luatrail::report
