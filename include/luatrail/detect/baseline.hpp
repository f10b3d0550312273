// Baselines: who may run Lua, and what. Policy, reviewed by a person (docs/design.md, "Baselines"); MITRE's tunables
// ExecutablePath and UserContext.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/detect/expectation.hpp"
#include "luatrail/detect/finding.hpp"

namespace luatrail::detect {

// One [[expect]]; every key that is given must match, and the run may have no code, modules or further scripts and may
// not read standard input where the entry does not say so: it covers no more than it names. The globs are compared with
// absolute paths: one that starts with neither "/" nor "**" could never match and is refused.
struct Rule {
    std::string id;
    std::optional<std::string> executable; // glob on the resolved exe
    std::optional<std::string> user;       // name, uid in digits, "service" or "login"
    std::optional<std::string> script;     // glob on the script's resolved path
    // Needs an inventory. Where none was given, an entry that also names the script by its whole path rests on that
    // path alone, and the verdict says so.
    std::optional<std::string> script_package;
    std::optional<std::string> code;   // glob on the code of the command line (`-e`), the whole of it
    std::vector<std::string> modules;  // globs: each that the command line names (`-l`) fits one of them
    bool interactive = false;          // it reads code from standard input
    std::optional<std::string> parent; // glob on the parent's exe
    std::optional<std::string> unit;   // needs unit evidence
    std::optional<std::string> because;
    std::optional<std::int64_t>
        expires_ms;     // first millisecond at which it no longer holds (the day after the date, UTC)
    std::string source; // "file:line:column" of the entry, for messages
};

// Where a rule holds the keys that are one text, by RuleKey; behind them are modules and interactive.
inline constexpr std::array<std::optional<std::string> Rule::*, rule_keys - 2> rule_values{
    &Rule::executable, &Rule::user, &Rule::script, &Rule::script_package, &Rule::code, &Rule::parent, &Rule::unit};
static_assert(rule_values.size() == static_cast<std::size_t>(RuleKey::modules));

// The facts of a run that rules are compared with. Nothing: the log does not say.
struct RunFacts {
    std::int64_t time_ms = 0;
    std::optional<std::string> exe, user_name, script, script_package, code, parent_exe, unit;
    std::optional<std::string>
        script_as_packaged;            // the same file by the path that its package lists, where that is another
    std::vector<std::string> searched; // globs: where else the program looks for the script
    std::vector<std::string> modules;  // that its command line names
    std::vector<std::string> scripts;  // beside `script`
    bool interactive = false;          // it reads code from standard input
    bool arguments_lost = false;       // options may have stood where the log shows none
    bool owners_known = true;          // an inventory was given
    std::optional<std::uint32_t> uid;
    std::optional<bool> login; // true: auid is set (a login session); false: unset (a service); nothing: unknown
};

RunFacts facts_of(const Finding& finding);

// A rule beside a run.
struct Comparison {
    // The first key that differs, else the first that the log cannot answer: what differs decides, whatever the answer
    // would have been.
    std::optional<KeyMiss> missed;
    bool expired = false;
    bool package_unchecked = false; // no inventory was given
    bool searched = false;          // the script is the entry's where the program found it there, and not below the cwd
    std::size_t matched = 0, differing = 0; // keys

    bool matches() const { return !missed && !expired; }
};
Comparison compare(const Rule& rule, const RunFacts& facts);

// Nothing, or the verdict in place of "expected, by this rule": the script or the interpreter is known not to be as its
// package brought it. What is expected is what a package brought, not what was made of it.
std::optional<Expectation> doubt_of(const Finding& finding, std::string_view rule);

class Baseline {
  public:
    // Throws base::Error "file:line:column: key: reason": TOML syntax, schema other than 1, unknown key (with the
    // nearest valid one), wrong type, an entry without id or with a duplicate one, an entry with none of the matching
    // keys (it would match everything), bad date.
    void load(const std::string& path);
    void load_text(std::string_view toml, std::string_view source_name);

    bool given() const { return given_; } // a file was loaded, even one without entries
    const std::vector<Rule>& rules() const { return rules_; }

    // No baseline: unknown. A rule matches: expected. Otherwise unexpected, with what the nearest rule (most keys
    // matched, then fewest that differ) missed. A key that the log can't answer does not match.
    Expectation judge(const RunFacts& facts) const;

  private:
    std::vector<Rule> rules_;
    bool given_ = false;
};

} // namespace luatrail::detect
