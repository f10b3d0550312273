// Whether a run was expected, and why: facts in raw bytes. The sentence is the report's (report/expectation_words).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace luatrail::detect {

enum class Verdict : std::uint8_t { expected, unknown, unexpected };

// What an [[expect]] may ask of a run, in the order in which sentences name it.
enum class RuleKey : std::uint8_t {
    executable,
    user,
    script,
    script_package,
    code,
    parent,
    unit,
    modules,
    interactive
};
inline constexpr std::size_t rule_keys = 9;

// Why a verdict is what it is.
enum class ExpectationReason : std::uint8_t {
    no_baseline,
    expected,
    empty_baseline, // it has no entry
    expired,        // an entry matched, but holds no longer
    unexpected_executable,
    unexpected_user,
    unexpected_script,
    unexpected_script_package,
    unexpected_code,
    unexpected_parent,
    unexpected_unit,
    unexpected_modules,
    not_interactive,      // the entry is of a run that reads code from standard input
    unexpected_also_code, // all that the entry names matches, but the run has code on its command line, too
    unexpected_also_script,
    unexpected_also_module,
    unexpected_interactive,
    altered_script, // an entry matched, but the file is not as its package brought it
    altered_interpreter,
    altered_module, // that the run loads
    other_file,     // at the path of the script, than earlier runs found there
    environment_code,
};
inline constexpr std::size_t expectation_reasons = 22;

std::string_view to_string(RuleKey);           // as in a baseline: "script_package"
std::string_view to_string(ExpectationReason); // the id in `reasons`, stable: "unexpected-script-package"

ExpectationReason missed_reason(RuleKey key);
// Of a run that has more than the entry names: code, scripts, modules, or that it reads standard input.
ExpectationReason unnamed_reason(RuleKey key);

// What the log does not say, so that a key is not met.
enum class Unanswered : std::uint8_t {
    program,
    user,
    login,
    user_name,
    script,
    owner,
    code,
    parent,
    unit,
    modules,
    arguments, // some of its command line is not known, where options could stand
};
inline constexpr std::size_t unanswered_kinds = 11;

// A key of an entry that a run does not meet.
struct KeyMiss {
    RuleKey key = RuleKey::executable;
    std::string wanted{};               // the entry's value
    std::optional<std::string> found{}; // the run's; of a user the name
    std::optional<std::uint32_t> uid{}; // of a user
    std::optional<bool> login{};        // of a user who was asked for as "login" or "service"
    std::optional<Unanswered> unanswered{};
    std::optional<std::string> script{}; // whose owner is not known
    bool unnamed = false;                // the run has what the entry does not name; `wanted` is empty, or its scripts
};

struct Expectation {
    Verdict verdict = Verdict::unknown;
    ExpectationReason reason = ExpectationReason::no_baseline;
    std::optional<std::string> rule{};            // id of the entry that matched
    std::optional<std::string> because{};         // and what it says of itself
    bool package_unchecked = false;               // it names a package, and no inventory was given
    bool searched = false;                        // where the script was found elsewhere than below the cwd
    std::optional<std::string> nearest{};         // id of the one that came nearest, where none matched
    std::optional<KeyMiss> missed{};              // by the nearest
    bool named_elsewhere = false;                 // another entry for this program names what the nearest missed
    std::optional<std::string> program{};         // that ran, where `missed` is of another key
    std::optional<std::int64_t> expires_ms{};     // of `nearest`: the first millisecond at which it no longer held
    std::optional<std::string> path{}, package{}; // of the file that is not as packaged, or another
};

} // namespace luatrail::detect
