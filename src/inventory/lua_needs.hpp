// Which packages need Lua, and by which way.
#pragma once

#include <string_view>
#include <vector>

#include "inventory/database.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::inventory {

// Fills `depends_on_lua` of the packages, which stand in the order of the listing and have `is_lua` set. Alternatives
// count where they are installed, virtual names by who provides them, files by who owns them.
void find_lua_needs(const std::vector<ListedPackage>& listed, std::vector<Package>& packages);

} // namespace luatrail::inventory
