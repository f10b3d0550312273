// What the bytes of a file and the variables of a process say of Lua.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace luatrail::plugin {

inline constexpr std::size_t most_variable = 1024; // bytes of one environment variable
inline constexpr std::size_t most_variables = 32;  // of one environment

// "Lua 5.4" (lundump.h: ESC "Lua", then the version's two digits in one byte), "LuaJIT 2" (lj_bcdump.h: ESC "LJ", then
// the format's version); nothing when the bytes are no bytecode.
std::optional<std::string> bytecode_of(std::string_view first_bytes);

// The version that a program with Lua inside says (lua.h, LUA_RELEASE; luajit.h, LUAJIT_VERSION), or nothing.
std::optional<std::string> lua_version_in(std::string_view program);

// The same where it hides its version: "Lua's virtual machine" where the names stand that only the machine itself looks
// for (ltm.c, luaT_init; lj_obj.h, MMDEF), "calls of Lua's library" where it asks for the library's by their names.
std::optional<std::string> lua_machine_in(std::string_view program);
// Of a run's environment the variable that is code: LUA_INIT, or that of a version (LUA_INIT_5_4), which goes before.
std::optional<std::string> init_in(const std::vector<std::string>& environment);

// Variables that decide which code an interpreter loads (lua.c, luaconf.h; those of a version end in it: LUA_INIT_5_4),
// of what /proc/PID/environ gives.
std::vector<std::string> lua_variables(std::string_view environment);

} // namespace luatrail::plugin
