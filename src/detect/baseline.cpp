#include "luatrail/detect/baseline.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "luatrail/base/glob.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/toml_reader.hpp"

namespace luatrail::detect {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

// One key of a rule beside the run; missed unless it matches.
struct Answer {
    KeyMiss miss;
    bool matches = false;
    bool unchecked = false; // a match for want of an inventory
    bool searched = false;  // a match of a place where the program looks for the script

    bool differs() const { return !matches && !miss.unanswered; }
};

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_uid(const std::string& digits, std::uint32_t uid) {
    std::uint32_t wanted = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), wanted);
    return error == std::errc{} && wanted == uid;
}

Answer compare_user(const std::string& wanted, const RunFacts& facts) {
    Answer made{{.key = RuleKey::user, .wanted = wanted, .found = facts.user_name, .uid = facts.uid}};
    auto& miss = made.miss;
    if (wanted == "service" || wanted == "login") {
        miss.login = facts.login;
        miss.unanswered = facts.login ? std::nullopt : std::optional(Unanswered::login);
        made.matches = facts.login == (wanted == "login");
    } else if (all_digits(wanted)) {
        miss.unanswered = facts.uid ? std::nullopt : std::optional(Unanswered::user);
        made.matches = facts.uid && is_uid(wanted, *facts.uid);
    } else if (facts.uid && !facts.user_name && (wanted == "root" || *facts.uid == 0)) { // everywhere
        made.matches = wanted == "root" && *facts.uid == 0;
    } else if (facts.user_name) {
        made.matches = wanted == *facts.user_name;
    } else {
        miss.unanswered = facts.uid ? Unanswered::user_name : Unanswered::user;
    }
    return made;
}

// Whether an entry's script may be one that a program looks for: in the entry's directory, by the name that the
// program asks for, that path fits both.
bool may_be_searched(const std::string& entry, const std::vector<std::string>& searched) {
    const auto directory = entry.substr(0, entry.find_first_of("*?["));
    const auto slash = directory.rfind('/');
    return slash != std::string::npos && std::any_of(searched.begin(), searched.end(), [&](const std::string& place) {
               const auto path = directory.substr(0, slash + 1) + std::string(base::basename(place));
               return base::glob_match(entry, path) && base::glob_match(place, path);
           });
}

Answer compare_script(const std::string& glob, const RunFacts& facts) {
    const auto fits = [&glob](const std::optional<std::string>& path) { return path && base::glob_match(glob, *path); };
    Answer made{{.key = RuleKey::script,
                 .wanted = glob,
                 .found = facts.script,
                 .unanswered = facts.script ? std::nullopt : std::optional(Unanswered::script)},
                fits(facts.script) || (facts.script && fits(facts.script_as_packaged))};
    if (!made.matches && may_be_searched(glob, facts.searched)) {
        made.matches = made.searched = true;
    }
    return made;
}

// A key whose value the run's is compared with as a glob, or as it stands.
struct PlainKey {
    std::optional<std::string> RunFacts::*found;
    Unanswered unanswered;
    bool glob;
};

PlainKey plain_key(RuleKey key) {
    switch (key) {
    case RuleKey::code:
        return {&RunFacts::code, Unanswered::code, true};
    case RuleKey::parent:
        return {&RunFacts::parent_exe, Unanswered::parent, true};
    case RuleKey::unit:
        return {&RunFacts::unit, Unanswered::unit, false};
    case RuleKey::executable:
    case RuleKey::user:
    case RuleKey::script:
    case RuleKey::script_package:
    case RuleKey::modules:
    case RuleKey::interactive:
        break;
    }
    return {&RunFacts::exe, Unanswered::program, true};
}

std::string joined(const std::vector<std::string>& all) {
    return fmt::format("{}", fmt::join(all, ", "));
}

bool fits_any(const std::vector<std::string>& globs, const std::string& text) {
    return std::any_of(globs.begin(), globs.end(),
                       [&text](const std::string& glob) { return base::glob_match(glob, text); });
}

Answer compare_modules(const std::vector<std::string>& globs, const RunFacts& facts) {
    Answer made{{.key = RuleKey::modules, .wanted = joined(globs)}};
    if (facts.modules.empty()) {
        made.miss.unanswered = Unanswered::modules;
        return made;
    }
    const auto other = std::find_if(facts.modules.begin(), facts.modules.end(),
                                    [&globs](const std::string& module) { return !fits_any(globs, module); });
    made.matches = other == facts.modules.end();
    made.miss.found = made.matches ? joined(facts.modules) : *other;
    return made;
}

bool names_one_file(const std::optional<std::string>& glob) {
    return glob && glob->find_first_of("*?[") == std::string::npos;
}

Answer compare_package(const Rule& rule, const std::string& wanted, const RunFacts& facts) {
    Answer made{{.key = RuleKey::script_package, .wanted = wanted, .found = facts.script_package}};
    if (facts.script_package) {
        made.matches = wanted == *facts.script_package;
    } else if (!facts.script) {
        made.miss.unanswered = Unanswered::script;
    } else if (!facts.owners_known && names_one_file(rule.script)) {
        made.matches = made.unchecked = true; // the path decides
    } else {
        made.miss.unanswered = Unanswered::owner;
        made.miss.script = facts.script;
    }
    return made;
}

Answer compare_key(const Rule& rule, RuleKey key, const std::string& wanted, const RunFacts& facts) {
    if (key == RuleKey::user) {
        return compare_user(wanted, facts);
    }
    if (key == RuleKey::script) {
        return compare_script(wanted, facts);
    }
    if (key == RuleKey::script_package) {
        return compare_package(rule, wanted, facts);
    }
    const auto plain = plain_key(key);
    const auto& found = facts.*plain.found;
    Answer made{{.key = key, .wanted = wanted, .found = found}};
    if (found) {
        made.matches = plain.glob ? base::glob_match(wanted, *found) : wanted == *found;
        return made;
    }
    made.miss.unanswered = plain.unanswered;
    return made;
}

// What the run has and the entry does not name.
void add_unnamed(const Rule& rule, const RunFacts& facts, std::vector<Answer>& all) {
    const auto add = [&all](RuleKey key, std::optional<std::string> found) {
        all.push_back({{.key = key, .found = std::move(found), .unnamed = true}});
    };
    if (facts.code && !rule.code) {
        add(RuleKey::code, facts.code);
    }
    const auto other = std::find_if(facts.scripts.begin(), facts.scripts.end(), [&rule](const std::string& script) {
        return rule.script ? !base::glob_match(*rule.script, script) : rule.script_package.has_value();
    });
    if (other != facts.scripts.end()) {
        add(RuleKey::script, *other);
        all.back().miss.wanted = rule.script.value_or("of package " + rule.script_package.value_or(""));
    }
    if (!facts.modules.empty() && rule.modules.empty()) {
        add(RuleKey::modules, joined(facts.modules));
    }
    if (facts.interactive && !rule.interactive) {
        add(RuleKey::interactive, std::nullopt);
    }
    if (facts.arguments_lost) {
        all.push_back({{.key = RuleKey::code, .unanswered = Unanswered::arguments, .unnamed = true}});
    }
}

// Of the keys that are given, in their order, and then of what the run has beside them.
std::vector<Answer> answers(const Rule& rule, const RunFacts& facts) {
    std::vector<Answer> all;
    for (std::size_t at = 0; at < rule_values.size(); ++at) {
        if (const auto& wanted = rule.*rule_values[at]) {
            all.push_back(compare_key(rule, static_cast<RuleKey>(at), *wanted, facts));
        }
    }
    if (!rule.modules.empty()) {
        all.push_back(compare_modules(rule.modules, facts));
    }
    if (rule.interactive) {
        all.push_back({{.key = RuleKey::interactive, .wanted = "true"}, facts.interactive});
    }
    add_unnamed(rule, facts, all);
    return all;
}

bool nearer(const Comparison& one, const Comparison& other) {
    return one.matched != other.matched ? one.matched > other.matched : one.differing < other.differing;
}

// Whether some rule for this program names the run's value of `key`, so that "no expectation names it" would be untrue.
bool named_elsewhere(const std::vector<Rule>& rules, const RunFacts& facts, RuleKey key) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
        bool names = false;
        bool for_program = true;
        for (const auto& one : answers(rule, facts)) {
            names = names || (one.miss.key == key && one.matches);
            for_program = for_program && (one.miss.key != RuleKey::executable || one.matches);
        }
        return names && for_program;
    });
}

// `nearest` is the rule that came nearest to this run and missed it.
Expectation missed_by(const std::vector<Rule>& rules, const Rule& nearest, const RunFacts& facts) {
    Expectation made{.verdict = Verdict::unexpected, .nearest = nearest.id};
    made.missed = compare(nearest, facts).missed;
    if (!made.missed) {
        made.reason = ExpectationReason::expired;
        made.expires_ms = nearest.expires_ms;
        return made;
    }
    const auto key = made.missed->key;
    made.reason = made.missed->unnamed ? unnamed_reason(key) : missed_reason(key);
    made.named_elsewhere = !made.missed->unanswered && !made.missed->unnamed && named_elsewhere(rules, facts, key);
    if (key != RuleKey::executable) {
        made.program = facts.exe;
    }
    return made;
}

std::optional<std::string> path_glob(const base::TomlTable& row, std::string_view key) {
    auto glob = row.text(key);
    if (glob && !glob->starts_with('/') && !glob->starts_with("**")) {
        row.complain(key, fmt::format("compared with an absolute path, and could never match; start it with / "
                                      "(or with **/ for any directory)"));
    }
    return glob;
}

Rule read_rule(const base::TomlTable& row) {
    row.allow_only({"id", "executable", "user", "script", "script_package", "code", "parent", "unit", "modules",
                    "interactive", "because", "expires"});
    Rule rule;
    rule.source = row.where();
    rule.id = row.required_text("id");
    if (rule.id.empty()) {
        row.complain("id", "an expectation has an id that findings can name");
    }
    rule.executable = path_glob(row, "executable");
    rule.user = row.text("user");
    rule.script = path_glob(row, "script");
    rule.script_package = row.text("script_package");
    rule.code = row.text("code");
    rule.parent = path_glob(row, "parent");
    rule.unit = row.text("unit");
    rule.modules = row.texts("modules").value_or(std::vector<std::string>());
    rule.interactive = row.boolean("interactive").value_or(false);
    rule.because = row.text("because");
    if (const auto day = row.date_ms("expires")) {
        rule.expires_ms = *day + day_ms;
    }
    if (rule.modules.empty() && !rule.interactive &&
        std::none_of(rule_values.begin(), rule_values.end(), [&](auto value) { return (rule.*value).has_value(); })) {
        row.complain("id", fmt::format("expectation `{}` would match every run; give at least one of executable, user, "
                                       "script, script_package, code, parent, unit, modules, interactive",
                                       rule.id));
    }
    return rule;
}

void read_baseline(const base::TomlTable& file, std::vector<Rule>& rules) {
    file.allow_only({"schema", "expect"});
    if (file.integer("schema") != 1) {
        file.complain("schema", "schema = 1 is required");
    }
    auto all = rules; // a file with an error changes nothing
    for (const auto& row : file.tables("expect")) {
        auto rule = read_rule(row);
        const auto same =
            std::find_if(all.begin(), all.end(), [&rule](const Rule& other) { return other.id == rule.id; });
        if (same != all.end()) {
            row.complain("id", fmt::format("`{}` is the id of the expectation at {} too", rule.id, same->source));
        }
        all.push_back(std::move(rule));
    }
    rules = std::move(all);
}

} // namespace

RunFacts facts_of(const Finding& finding) {
    RunFacts facts;
    facts.time_ms = finding.time_ms;
    facts.exe = finding.interpreter.exe;
    facts.user_name = finding.process.user;
    facts.uid = finding.process.uid;
    facts.script = finding.code.path;
    facts.script_package = finding.code.package;
    facts.code = finding.code.inline_text;
    facts.script_as_packaged = finding.code.packaged_path;
    facts.unit = finding.process.unit;
    facts.modules = finding.code.modules;
    facts.scripts = finding.code.more_scripts;
    facts.interactive = finding.code.reads_stdin;
    facts.arguments_lost = finding.code.arguments_lost;
    facts.owners_known = finding.code.owners_known;
    facts.searched = finding.code.searched;
    if (finding.process.ppid) { // the SYSCALL record is there
        facts.login = finding.process.auid.has_value();
    }
    const auto parent = std::find_if(finding.ancestors.begin(), finding.ancestors.end(),
                                     [&](const Ancestor& one) { return one.pid != finding.process.pid; });
    if (parent != finding.ancestors.end()) {
        facts.parent_exe = parent->exe;
    }
    return facts;
}

Comparison compare(const Rule& rule, const RunFacts& facts) {
    Comparison made;
    const auto all = answers(rule, facts);
    for (const auto& one : all) {
        made.matched += one.matches ? 1 : 0;
        made.differing += one.differs() ? 1 : 0;
        made.package_unchecked = made.package_unchecked || one.unchecked;
        made.searched = made.searched || one.searched;
    }
    auto missed = std::find_if(all.begin(), all.end(), [](const Answer& one) { return one.differs(); });
    if (missed == all.end()) {
        missed = std::find_if(all.begin(), all.end(), [](const Answer& one) { return !one.matches; });
    }
    if (missed != all.end()) {
        made.missed = missed->miss;
    }
    made.expired = rule.expires_ms && facts.time_ms >= *rule.expires_ms;
    return made;
}

std::optional<Expectation> doubt_of(const Finding& finding, std::string_view rule) {
    if (!finding.code.altered && !finding.interpreter.altered) {
        return std::nullopt;
    }
    const bool script = finding.code.altered;
    return Expectation{.verdict = Verdict::unexpected,
                       .reason = script ? ExpectationReason::altered_script : ExpectationReason::altered_interpreter,
                       .nearest = std::string(rule),
                       .path = script ? finding.code.path : finding.interpreter.exe,
                       .package = script ? finding.code.package : finding.interpreter.package};
}

void Baseline::load(const std::string& path) {
    read_baseline(base::TomlTable::from_file(path), rules_);
    given_ = true;
}

void Baseline::load_text(std::string_view toml, std::string_view source_name) {
    read_baseline(base::TomlTable::from_text(toml, source_name), rules_);
    given_ = true;
}

Expectation Baseline::judge(const RunFacts& facts) const {
    if (!given_) {
        return {};
    }
    if (rules_.empty()) {
        return {.verdict = Verdict::unexpected, .reason = ExpectationReason::empty_baseline};
    }
    const Rule* nearest = nullptr;
    Comparison best;
    for (const auto& rule : rules_) {
        auto compared = compare(rule, facts);
        if (compared.matches()) {
            return {.verdict = Verdict::expected,
                    .reason = ExpectationReason::expected,
                    .rule = rule.id,
                    .because = rule.because,
                    .package_unchecked = compared.package_unchecked,
                    .searched = compared.searched};
        }
        if (nearest == nullptr || nearer(compared, best)) {
            nearest = &rule;
            best = std::move(compared);
        }
    }
    return missed_by(rules_, *nearest, facts);
}

} // namespace luatrail::detect
