// What was done to a run's files before it: drops and memory artifacts.
#pragma once

#include <string_view>
#include <vector>

#include "detect/judge.hpp"
#include "detect/node.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

// Where the script is and which file it is.
void locate_script(const Node& node, Invoked& run);

// What was done to the run's files before it, within the window: drops and memory artifacts. Sets degraded marks that
// belong to them.
void find_chain(const Node& node, const Invoked& run, const EngineOptions& options, Finding& finding);

// What was done within the window before to a file that a run opened: a module, a library, a script that it loads.
std::vector<ChainEntry> drops_of_opened(const Node& node, const EngineOptions& options, ChainKind kind,
                                        const host::File& file, host::ProcessRef run, std::int64_t now_ms);

// The same of a file of which nothing is known but its path: a directory above it was moved there, or something
// mounted.
std::vector<ChainEntry> drops_of_place(const Node& node, const EngineOptions& options, ChainKind kind,
                                       std::string_view path, host::ProcessRef run, std::int64_t now_ms);

// Where the finding's code or program lies in shared memory: an entry that says so.
void add_shared_memory(Finding& finding);

} // namespace luatrail::detect
