// What the rules depend on of the host that this runs on.
#pragma once

#include "luatrail/detect/profiles.hpp"
#include "luatrail/rules/host_rules.hpp"
#include "luatrail/rules/lua_programs.hpp"

namespace luatrail::rules {

// This host: interpreters and programs with Lua inside, by the profiles' names and by the libraries that they need, in
// the directories of programs; and the package manager where nobody but root can replace it.
Host this_host(const detect::ProfileSet& profiles);
// The same of what was found.
Host this_host(const LuaFiles& found);

} // namespace luatrail::rules
