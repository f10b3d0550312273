// The severity table: the whole rule, no hidden score (docs/design.md, "Severity").
#pragma once

#include <cstdint>
#include <optional>

#include "luatrail/detect/finding.hpp"

namespace luatrail::detect {

// What is chained with a run: the table's columns.
enum class Chained : std::uint8_t {
    nothing,
    follow_up, // alone
    one,       // a drop or a memory artifact
    more,      // both, or either with a follow-up
};

// Code from a pipe on standard input or from a descriptor is a memory artifact too.
Chained chained_with(const Finding& finding);

// Nothing: no finding (counted as an expected run).
std::optional<Severity> severity_of(Verdict verdict, Chained chained);

} // namespace luatrail::detect
