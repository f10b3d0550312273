// Who may be believed to be a package manager: the file that runs under its name, not the name. In a mount namespace of
// its own anybody's program lies at /usr/bin/dpkg.
#pragma once

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

// At each successful exec: learns which file runs under which name, and remembers what only calls itself a package
// manager by its path. That is a file that ran under another name, was made by somebody else within the window, or is
// not the one that ran there before, unless the log shows what replaced that one. In a container the files are its own.
// Where root runs a true one, the files of packages may be other ones after it than before.
void note_program(Node& node, const audit::TypedEvent& event, host::ProcessRef process, const Program& program,
                  const EngineOptions& options);

// Whether a process is such an impostor, or one that it forked; so is who made a change.
bool is_impostor(const Node& node, host::ProcessRef process, std::int64_t time_ms);
bool is_impostor(const Node& node, const host::Change& change);

} // namespace luatrail::detect
