// The severity table: the whole rule, no hidden score (docs/design.md, "Severity").
#pragma once

#include <optional>

#include "luatrail/detect/finding.hpp"

namespace luatrail::detect {

// What was chained with a run, by class. A memory artifact includes an origin of standard input from a pipe and of a
// descriptor.
struct ChainClass {
    bool artifact = false;  // at least one drop, or at least one memory artifact
    bool both = false;      // at least one drop and at least one memory artifact
    bool follow_up = false; // child-shell, network, self-delete
};

ChainClass classify(const Finding& finding);

// Nothing: no finding (counted as an expected run).
std::optional<Severity> severity_of(Verdict verdict, const ChainClass& chain);

bool is_drop(ChainKind kind);
bool is_memory_artifact(ChainKind kind);
bool is_follow_up(ChainKind kind);

} // namespace luatrail::detect
