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

// Whether a program that can run Lua runs a file when it opens it: by what its profile says that it loads, else by
// Lua's usual endings; of an interpreter (null: not known which) also where the file may be executed.
bool is_code(const Profile* profile, std::string_view path, std::optional<std::uint32_t> mode);

// The profile of a process, by its program and its arguments; null: it is none that can run Lua.
const Profile* profile_of(const host::Process& process, const ProfileSet& profiles);

// Takes out of what was done to a file what the program did to its own cache or session (Profile::own).
void leave_out_own_work(const Profile& profile, const host::Process& process, std::string_view path,
                        std::vector<ChainEntry>& drops);

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
//  - an interpreter, by a program that was itself dropped and has it on its command line: a loader.
// Nothing: none of these.
std::optional<Finding> run_by_open(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                   const Program& program, const EngineOptions& options);

} // namespace luatrail::detect
