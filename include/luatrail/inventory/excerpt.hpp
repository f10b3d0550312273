// A part of an inventory, to be handed on.
#pragma once

#include <string>
#include <vector>

#include "luatrail/inventory/inventory.hpp"

namespace luatrail::inventory {

// Of some packages only, with the Lua packages that there are: so that the file does not describe the whole host.
Inventory excerpt(const Inventory& inventory, const std::vector<std::string>& packages);

} // namespace luatrail::inventory
