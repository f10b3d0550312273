// Which files that a program opens it runs: by what its profile says that it loads, by what its command line says of
// the file, and by who wrote it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/node.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

// A name as the event's process means it: against its working directory.
std::string absolute(const audit::TypedEvent& event, std::string_view name);

// As Lua's modules end (package.path, and package.cpath where `libraries` count), and bytecode by its usual names.
bool has_code_ending(std::string_view path, bool libraries);

// Whether a program that can run Lua runs a file when it opens it: by what its profile says that it loads, else by
// Lua's usual endings; of an interpreter (null: not known which) also where the file may be executed.
bool is_code(const Profile* profile, std::string_view path, std::optional<std::uint32_t> mode);

// A program that also opens Lua to show or edit it runs only what lies at its start-up paths, what its command line
// has it read as commands, and, where nobody sits before it, what nobody gave it to edit.
bool runs_opened(const host::Process& process, const Profile& profile, const audit::TypedEvent& event,
                 const audit::PathItem& item, std::string_view path);

// Takes out of what was done to a file what the program did to its own cache or session (Profile::own).
void leave_out_own_work(const Profile& profile, const host::Process& process, std::string_view path,
                        std::vector<ChainEntry>& drops);

// And out of what was done to a file of an editor's settings what somebody did by hand with the same editor: at a
// terminal, or by what was started there from it (`:!git clone`, a plugin manager).
void leave_out_work_by_hand(const Node& node, const Profile& profile, const host::Process& editor,
                            const host::File& file, std::vector<ChainEntry>& drops);

} // namespace luatrail::detect
