#include "luatrail/detect/expectation.hpp"

#include <array>

namespace luatrail::detect {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, rule_keys> keys{"executable", "user", "script",  "script_package", "code",
                                                       "parent",     "unit", "modules", "interactive"};
constexpr std::array<std::string_view, expectation_reasons> reasons{"no-baseline",
                                                                    "expected",
                                                                    "unexpected-run",
                                                                    "unexpected-expired",
                                                                    "unexpected-executable",
                                                                    "unexpected-user",
                                                                    "unexpected-script",
                                                                    "unexpected-script-package",
                                                                    "unexpected-code",
                                                                    "unexpected-parent",
                                                                    "unexpected-unit",
                                                                    "unexpected-modules",
                                                                    "not-interactive",
                                                                    "unexpected-also-code",
                                                                    "unexpected-also-script",
                                                                    "unexpected-also-module",
                                                                    "unexpected-interactive",
                                                                    "altered-script",
                                                                    "altered-interpreter",
                                                                    "altered-module",
                                                                    "other-file",
                                                                    "environment-code"};

// A table that is shorter than its enumeration does not compile.
static_assert(keys.size() == static_cast<std::size_t>(RuleKey::interactive) + 1 && !keys.back().empty());
static_assert(reasons.size() == static_cast<std::size_t>(ExpectationReason::environment_code) + 1 &&
              !reasons.back().empty());

} // namespace

std::string_view to_string(RuleKey value) {
    return keys.at(static_cast<std::size_t>(value));
}
std::string_view to_string(ExpectationReason value) {
    return reasons.at(static_cast<std::size_t>(value));
}

ExpectationReason missed_reason(RuleKey key) {
    const auto first = static_cast<std::size_t>(ExpectationReason::unexpected_executable);
    return static_cast<ExpectationReason>(first + static_cast<std::size_t>(key));
}

ExpectationReason unnamed_reason(RuleKey key) {
    switch (key) {
    case RuleKey::script:
        return ExpectationReason::unexpected_also_script;
    case RuleKey::modules:
        return ExpectationReason::unexpected_also_module;
    case RuleKey::interactive:
        return ExpectationReason::unexpected_interactive;
    default:
        return ExpectationReason::unexpected_also_code;
    }
}

} // namespace luatrail::detect
