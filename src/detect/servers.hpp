// Programs with Lua inside that run it without an exec: a shell or a download below one is what shows.
#pragma once

#include <optional>

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

struct ServerRun {
    host::ProcessRef server;
    Finding finding; // without its severity
};

// The run that an exec shows, where it starts a shell or a download tool anywhere below a server with Lua inside, of
// which no run is known yet. Not the shell of a #! script which nobody touched within the window: what a server's
// configuration names as a program (haproxy's external-check) is executed as such, and Lua has system(3) and popen(3),
// which are `sh -c`. A program that starts such shells of its own (rpm) counts only as the direct parent, and only
// where a file that its command line names was dropped.
std::optional<ServerRun> run_of_server(Node& node, const audit::TypedEvent& event, host::ProcessRef process,
                                       const Program& program, Programs& programs, const EngineOptions& options);

} // namespace luatrail::detect
