// The expected file, not its name: in a mount namespace, a chroot, or below an overlay or a bind mount, the path that
// is expected stands for another file.
#pragma once

#include <functional>

#include "detect/follow.hpp"
#include "detect/judge.hpp"
#include "detect/node.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

// At an exec: a #! script is known by the exec itself. Takes back an expectation of another file.
void check_script(Node& node, const Invoked& run, const EngineOptions& options, Finding& finding);

// What a run opens may show that it is not expected after all: its script is another file than earlier runs opened
// there, or one that an overlay puts in its place; a module is not as its package brought it. `report` gets the
// findings of such runs. What the ledger knows of a file that an overlay shows is returned, as drops of its run.
FollowUps contradict_runs(Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                          const EngineOptions& options, const std::function<void(const Finding&)>& report);

// Whether a process is in a container, whose files are other ones than the host's of the same name.
bool has_own_files(const Node& node, host::ProcessRef process, const EngineOptions& options);

// A change of files: what is known of a path is not what lies there now.
void note_change(Node& node, const audit::TypedEvent& event);

} // namespace luatrail::detect
