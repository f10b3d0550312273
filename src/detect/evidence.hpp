// Evidence that makes a run where no command line does: what a program opens for reading.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

// The profile of a process, by its program and its arguments; null: it is none that can run Lua.
const Profile* profile_of(const host::Process& process, const ProfileSet& profiles);

// ld.so and dlopen(3) open a library exactly so (glibc's open_verify, musl's path_open); most that read files do not.
bool as_a_loader_opens(const audit::TypedEvent& event);

// Which of the files that a command line names count.
enum class Named : std::uint8_t { code, any_file };

// Of the paths in the words of a process's command line, the code of another language in them included, the first that
// was dropped within the window: what was done to it goes into the finding's chain. A program of which no grammar is
// known gets its script so.
void add_named_drops(const Node& node, const audit::TypedEvent& event, const host::Process& process,
                     host::ProcessRef who, const EngineOptions& options, Named which, Finding& finding);

// The run that an open for reading shows, of a process of which no run is known, without its severity:
//  - code that was dropped within the window, by a program that can run Lua;
//  - a Lua library, by a program that neither its profile nor its package says to need one;
//  - an interpreter, by the dynamic loader or a program that was itself dropped, which has it on its command line;
//  - what its command line names, by a program that the rules know to be an interpreter by its file.
// `read`: of the interpreter that is opened (note_reading); null: it is none. Nothing: none of these.
std::optional<Finding> run_by_open(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                   const Program& program, const Profile* read, const EngineOptions& options);

} // namespace luatrail::detect
