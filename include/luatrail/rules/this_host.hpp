// What the rules depend on of the host that this runs on.
#pragma once

#include "luatrail/detect/profiles.hpp"
#include "luatrail/rules/host_rules.hpp"

namespace luatrail::rules {

// This host: interpreters by the profiles' names in the directories of programs, and the package manager where nobody
// but root can replace it.
Host this_host(const detect::ProfileSet& profiles);

} // namespace luatrail::rules
