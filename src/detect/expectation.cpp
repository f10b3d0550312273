#include "luatrail/detect/expectation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

#include <fmt/format.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/toml_reader.hpp"

namespace luatrail::detect {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

enum class Answer : std::uint8_t { matches, differs, unanswered };

// One key of a rule beside the run.
struct Comparison {
    std::string_view key;             // as in the file, and as a word in a sentence
    std::string wanted;               // the rule's value
    std::optional<std::string> found; // the run's; nothing: the log does not say
    Answer answer = Answer::matches;
    std::string unanswered; // why the log does not say; a clause
};

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string user_text(const RunFacts& facts) {
    if (facts.user_name) {
        return *facts.user_name;
    }
    return facts.uid ? fmt::format("uid {}", *facts.uid) : "unknown";
}

Answer equal(const std::string& wanted, const std::optional<std::string>& found) {
    if (!found) {
        return Answer::unanswered;
    }
    return wanted == *found ? Answer::matches : Answer::differs;
}

Comparison compare_login(const std::string& wanted, const RunFacts& facts) {
    Comparison made{"user", wanted, std::nullopt, Answer::unanswered,
                    "the log does not say whether the run belongs to a login session"};
    if (facts.login) {
        made.answer = *facts.login == (wanted == "login") ? Answer::matches : Answer::differs;
        made.found = fmt::format("{} ({})", user_text(facts), *facts.login ? "a login session" : "a service");
    }
    return made;
}

Comparison compare_user(const std::string& wanted, const RunFacts& facts) {
    if (wanted == "service" || wanted == "login") {
        return compare_login(wanted, facts);
    }
    Comparison made{"user", wanted, std::nullopt, Answer::unanswered, "the log does not say which user ran it"};
    if (all_digits(wanted)) {
        std::uint32_t uid = 0;
        const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), uid);
        if (facts.uid) {
            made.answer = error == std::errc{} && uid == *facts.uid ? Answer::matches : Answer::differs;
            made.found = user_text(facts);
        }
        return made;
    }
    if (facts.user_name) {
        made.answer = equal(wanted, facts.user_name);
        made.found = user_text(facts);
    } else if (facts.uid) {
        made.unanswered = fmt::format("neither the log nor an inventory gives the name of uid {}", *facts.uid);
    }
    return made;
}

Comparison compare_glob(std::string_view key, const std::string& glob, const std::optional<std::string>& found) {
    Comparison made{key, glob, found, Answer::unanswered, {}};
    if (found) {
        made.answer = base::glob_match(glob, *found) ? Answer::matches : Answer::differs;
    }
    return made;
}

// The rule's keys in the order in which sentences name them.
std::vector<Comparison> compare(const Rule& rule, const RunFacts& facts) {
    std::vector<Comparison> all;
    const auto add = [&all](Comparison made, std::string_view unanswered) {
        if (made.unanswered.empty()) {
            made.unanswered = unanswered;
        }
        all.push_back(std::move(made));
    };
    if (rule.executable) {
        add(compare_glob("executable", *rule.executable, facts.exe), "the log does not say which program it was");
    }
    if (rule.user) {
        add(compare_user(*rule.user, facts), {});
    }
    if (rule.script) {
        auto made = compare_glob("script", *rule.script, facts.script);
        if (made.answer == Answer::differs && facts.script_as_packaged &&
            base::glob_match(*rule.script, *facts.script_as_packaged)) {
            made.answer = Answer::matches;
        }
        add(std::move(made), "the log names no script of this run");
    }
    if (rule.script_package) {
        add({"script_package",
             *rule.script_package,
             facts.script_package,
             equal(*rule.script_package, facts.script_package),
             {}},
            facts.script ? fmt::format("no inventory says which package owns {}", *facts.script)
                         : "the log names no script of this run");
    }
    if (rule.code) {
        add(compare_glob("code", *rule.code, facts.code), "this run has no code on its command line");
    }
    if (rule.parent) {
        add(compare_glob("parent", *rule.parent, facts.parent_exe), "the log does not say which program started it");
    }
    if (rule.unit) {
        add({"unit", *rule.unit, facts.unit, equal(*rule.unit, facts.unit), {}},
            "the log does not say which unit it belongs to");
    }
    return all;
}

bool expired(const Rule& rule, const RunFacts& facts) {
    return rule.expires_ms && facts.time_ms >= *rule.expires_ms;
}

std::string last_day(const Rule& rule) {
    const auto day = std::chrono::floor<std::chrono::days>(
        std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(*rule.expires_ms - day_ms)));
    const std::chrono::year_month_day date{day};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

const Comparison* first_other(const std::vector<Comparison>& all, Answer answer) {
    const auto found =
        std::find_if(all.begin(), all.end(), [answer](const Comparison& c) { return c.answer == answer; });
    return found == all.end() ? nullptr : &*found;
}

// What differs is told before what is unanswered: it decides, whatever the answer would have been.
const Comparison* first_missed(const std::vector<Comparison>& all) {
    const auto* differs = first_other(all, Answer::differs);
    return differs != nullptr ? differs : first_other(all, Answer::unanswered);
}

// How near a rule came: most keys matched, then fewest that differ.
struct Nearness {
    std::size_t matched = 0;
    std::size_t differing = 0;

    bool nearer_than(const Nearness& other) const {
        return matched != other.matched ? matched > other.matched : differing < other.differing;
    }
};

Nearness nearness(const std::vector<Comparison>& all) {
    Nearness made;
    for (const auto& one : all) {
        made.matched += one.answer == Answer::matches ? 1 : 0;
        made.differing += one.answer == Answer::differs ? 1 : 0;
    }
    return made;
}

// Whether some rule for this program names the run's value of `key`, so that "no expectation names it" would be untrue.
bool named_elsewhere(const std::vector<Rule>& rules, const RunFacts& facts, std::string_view key) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
        bool names = false;
        bool for_program = true;
        for (const auto& one : compare(rule, facts)) {
            names = names || (one.key == key && one.answer == Answer::matches);
            for_program = for_program && (one.key != "executable" || one.answer == Answer::matches);
        }
        return names && for_program;
    });
}

// The id of the reason: "unexpected-user", "unexpected-script-package".
std::string reason_of(std::string_view key) {
    std::string id = fmt::format("unexpected-{}", key);
    std::replace(id.begin(), id.end(), '_', '-');
    return id;
}

// `nearest` is the rule that came nearest to this run and missed it.
Expectation missed_by(const std::vector<Rule>& rules, const Rule& nearest, const RunFacts& facts) {
    const auto unexpected = [](std::string_view key, std::string why) {
        return Expectation{Verdict::unexpected, std::nullopt, std::move(why), reason_of(key)};
    };
    const auto all = compare(nearest, facts);
    const auto* missed = first_missed(all);
    if (missed == nullptr) {
        return unexpected("expired",
                          fmt::format("expectation {} matched, but expired after {}", nearest.id, last_day(nearest)));
    }
    if (missed->answer == Answer::unanswered) {
        return unexpected(missed->key, fmt::format("expectation {} names {} {}, but {}", nearest.id, missed->key,
                                                   missed->wanted, missed->unanswered));
    }
    if (named_elsewhere(rules, facts, missed->key)) {
        return unexpected(missed->key, fmt::format("the nearest expectation, {}, names {} {} and not {}", nearest.id,
                                                   missed->key, missed->wanted, *missed->found));
    }
    if (missed->key == "executable") {
        return unexpected(missed->key, fmt::format("no expectation names executable {}", *missed->found));
    }
    return unexpected(missed->key, fmt::format("no expectation names {} {} for {}", missed->key, *missed->found,
                                               facts.exe.value_or("a program that the log does not name")));
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
    row.allow_only(
        {"id", "executable", "user", "script", "script_package", "code", "parent", "unit", "because", "expires"});
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
    rule.because = row.text("because");
    if (const auto day = row.date_ms("expires")) {
        rule.expires_ms = *day + day_ms;
    }
    if (!rule.executable && !rule.user && !rule.script && !rule.script_package && !rule.code && !rule.parent &&
        !rule.unit) {
        row.complain("id", fmt::format("expectation `{}` would match every run; give at least one of executable, user, "
                                       "script, script_package, code, parent, unit",
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

std::optional<Expectation> doubt_of(const Finding& finding, std::string_view rule) {
    const auto doubt = [rule](const char* reason, const std::optional<std::string>& path,
                              const std::optional<std::string>& package) {
        return Expectation{Verdict::unexpected, std::nullopt,
                           fmt::format("expectation {} matches, but {} is not as package {} brought it", rule,
                                       path.value_or(""), package.value_or("")),
                           reason};
    };
    if (finding.code.altered) {
        return doubt("altered-script", finding.code.path, finding.code.package);
    }
    if (finding.interpreter.altered) {
        return doubt("altered-interpreter", finding.interpreter.exe, finding.interpreter.package);
    }
    return std::nullopt;
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
        return {Verdict::unknown, std::nullopt, "no baseline was given", "no-baseline"};
    }
    if (rules_.empty()) {
        return {Verdict::unexpected, std::nullopt, "the baseline has no expectation", "unexpected-run"};
    }
    const Rule* nearest = &rules_.front();
    Nearness best{0, std::numeric_limits<std::size_t>::max()}; // any rule is nearer
    for (const auto& rule : rules_) {
        const auto all = compare(rule, facts);
        if (first_missed(all) == nullptr && !expired(rule, facts)) {
            return {Verdict::expected, rule.id,
                    rule.because ? fmt::format("expectation {}: {}", rule.id, *rule.because)
                                 : fmt::format("expectation {} names it", rule.id),
                    "expected"};
        }
        const auto near = nearness(all);
        if (near.nearer_than(best)) {
            nearest = &rule;
            best = near;
        }
    }
    return missed_by(rules_, *nearest, facts);
}

std::string Baseline::explain(const Rule& rule, const RunFacts& facts) const {
    const auto all = compare(rule, facts);
    if (const auto* missed = first_missed(all)) {
        return missed->answer == Answer::unanswered
                   ? fmt::format("names {} {}, but {}", missed->key, missed->wanted, missed->unanswered)
                   : fmt::format("names {} {}, and the run has {}", missed->key, missed->wanted, *missed->found);
    }
    return expired(rule, facts) ? fmt::format("matched, but expired after {}", last_day(rule)) : "every key matches";
}

} // namespace luatrail::detect
