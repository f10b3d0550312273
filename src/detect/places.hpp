// Whole trees that came to a place at once: a directory that was renamed, a file system that was mounted. All that lies
// below has become other files there, and no record names them.
#pragma once

#include <string_view>
#include <vector>

#include "detect/judge.hpp"
#include "detect/node.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {

// Remembers the new name of a directory that was renamed.
void note_moved(Node& node, const host::FileEvent& file, host::ProcessRef who);

// Remembers where something was mounted, until it is unmounted. Not what the system mounts by itself, nor what a
// container's runtime or a service manager mounts for the processes that it starts, in a namespace of their own: they
// are believed as programs that nobody brought. Nor changes of an old mount's flags.
void note_mounted(Node& node, const audit::TypedEvent& event, host::ProcessRef who, const EngineOptions& options);

// The places at or above `path` to which a tree came that a run sees there, the newest few, in their order. A container
// sees what its own processes did, and what somebody mounts without being root is seen by its own tree alone.
std::vector<const MovedDirectory*> places_above(const Node& node, std::string_view path, host::ProcessRef run,
                                                const EngineOptions& options);

// Whether no rule reports what is done to files where a run's script lies, so that a drop would not have been seen.
// Told where the records have the keys of luatrail's own rules, of runs that are not expected and whose drop is not
// known.
bool lies_unwatched(const Node& node, const Invoked& run, const EngineOptions& options, const Finding& finding);

} // namespace luatrail::detect
