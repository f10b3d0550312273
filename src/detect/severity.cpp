#include "luatrail/detect/severity.hpp"

#include <array>
#include <cstddef>

#include "luatrail/detect/reason.hpp"

namespace luatrail::detect {
namespace {

using Cell = std::optional<Severity>;
constexpr Cell none, info = Severity::info, low = Severity::low, medium = Severity::medium, high = Severity::high,
                     critical = Severity::critical;

// clang-format off
constexpr std::array<std::array<Cell, 4>, 3> table{{
    //           nothing  a follow-up  a drop or a      both, or either
    //           chained  alone        memory artifact  with a follow-up
    std::array{  none,    none,        medium,          high     }, // expected
    std::array{  info,    info,        high,            critical }, // unknown: no baseline was given
    std::array{  low,     medium,      high,            critical }, // unexpected
}};
// clang-format on

static_assert(static_cast<std::size_t>(Verdict::unexpected) + 1 == table.size());
static_assert(static_cast<std::size_t>(Chained::more) + 1 == table.front().size());

} // namespace

Chained chained_with(const Finding& finding) {
    bool drop = false;
    bool artifact = from_stdin(finding) || finding.code.origin == Origin::descriptor;
    bool follow_up = false;
    for (const auto& entry : finding.chain) {
        const auto is = row_of(entry.kind).is;
        drop = drop || is == ChainClass::drop;
        artifact = artifact || is == ChainClass::artifact;
        follow_up = follow_up || is == ChainClass::follow_up;
    }
    if (!drop && !artifact) {
        return follow_up ? Chained::follow_up : Chained::nothing;
    }
    return (drop && artifact) || follow_up ? Chained::more : Chained::one;
}

std::optional<Severity> severity_of(Verdict verdict, Chained chained) {
    return table.at(static_cast<std::size_t>(verdict)).at(static_cast<std::size_t>(chained));
}

} // namespace luatrail::detect
