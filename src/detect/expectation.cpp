#include "luatrail/detect/expectation.hpp"

#include <array>

namespace luatrail::detect {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, rule_keys> keys{"executable", "user",   "script", "script_package",
                                                       "code",       "parent", "unit"};
constexpr std::array<std::string_view, expectation_reasons> reasons{
    "no-baseline",           "expected",          "unexpected-run",    "unexpected-expired",
    "unexpected-executable", "unexpected-user",   "unexpected-script", "unexpected-script-package",
    "unexpected-code",       "unexpected-parent", "unexpected-unit",   "altered-script",
    "altered-interpreter",   "environment-code"};

// A table that is shorter than its enumeration does not compile.
static_assert(keys.size() == static_cast<std::size_t>(RuleKey::unit) + 1 && !keys.back().empty());
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

} // namespace luatrail::detect
