// Inventories, for the commands that make one.
#pragma once

#include <string>

#include "luatrail/inventory/inventory.hpp"

namespace luatrail::cli {

// Of a root, "/" or a mounted one; `rpm_helper` as installed when empty. Throws base::Error.
inventory::Inventory build_inventory(const std::string& root, const std::string& rpm_helper);

} // namespace luatrail::cli
