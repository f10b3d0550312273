// When processes came up: which of them are a shell's pipeline.
#pragma once

#include <cstdint>

#include "detect/node.hpp"
#include "luatrail/audit/typed.hpp"

namespace luatrail::detect {

// Remembers a fork, or an exec whose fork no record showed. `process`: the image that a fork made.
void note_birth(Node& node, const audit::TypedEvent& event, std::uint32_t parent, std::uint32_t child,
                host::ProcessRef process = {});

inline constexpr std::int64_t pipeline_ms = 500; // a shell forks the members of a pipeline at once

// Whether another child of the same parent was born at the same moment, and is alive or never ran a program: a
// pipeline.
bool in_pipeline(const Node& node, const host::Process& process, std::int64_t time_ms);

} // namespace luatrail::detect
