// rpm's database, by the helper program, which links librpm.
#pragma once

#include <string>

#include "inventory/database.hpp"

namespace luatrail::inventory {

// False where the root has no such database.
bool read_rpm(const Root& root, const std::string& helper, Listing& listing, Complaints& complaints);

} // namespace luatrail::inventory
