// luatrail doctor: the programs of this host that can run Lua, and what shows that they do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "luatrail/rules/lua_programs.hpp"

namespace luatrail::cli {

// This host's. With a look inside also those that nothing else gives away; that reads each program of the host.
rules::LuaFiles find_programs(const detect::ProfileSet& profiles, bool look_inside);

// By what it shows, of "command-line" (a grammar reads its arguments), "child" (a shell or a download tool below a
// server), "opens" (the files that it opens), "library" (it loads one of Lua's) and "content" (nothing but the file's
// own bytes, which the plugin looks at).
std::vector<std::string_view> evidence_of(const rules::LuaProgram& program);

// The same for a person: "command line (rpm), the files that it opens, liblua5.3.so.0 through librpmio.so.9".
std::string evidence_text(const rules::LuaProgram& program);

} // namespace luatrail::cli
