// Whole trees that came to a place at once: a directory that was renamed, a file system that was mounted. All that lies
// below has become other files there, and no record names them.
#pragma once

#include <string_view>

#include "detect/node.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {

// Remembers the new name of a directory that was renamed.
void note_moved(Node& node, const host::FileEvent& file, host::ProcessRef who);

// Remembers where something was mounted. Not what the system mounts by itself, nor what a container's runtime or a
// service manager mounts for the processes that it starts, in a namespace of their own: they are believed as programs
// that nobody brought. Nor changes of an old mount's flags.
void note_mounted(Node& node, const audit::TypedEvent& event, host::ProcessRef who, const EngineOptions& options);

// Whether a tree that came to a place brought what a run finds at `path`. In a container that is so only for what its
// own processes did.
bool brought(const Node& node, const MovedDirectory& place, std::string_view path, host::ProcessRef run,
             const EngineOptions& options);

} // namespace luatrail::detect
