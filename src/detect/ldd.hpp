// `ldd /usr/bin/lua`: the loader, or the program itself, is started to print its libraries, and runs nothing.
#pragma once

#include "detect/node.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

// Whether an exec is one by ldd(1), which says so by a variable of the environment that no record holds: what shows is
// that the process was ldd's script, as installed, asked for the very program that is now named with no argument
// behind it.
bool lists_libraries(const Node& node, const audit::TypedEvent& event, const ProfileSet& profiles);

} // namespace luatrail::detect
