// pacman's local database, alpm(3): desc, files and mtree of each package.
#pragma once

#include "inventory/database.hpp"

namespace luatrail::inventory {

// False where the root has no such database.
bool read_pacman(const Root& root, Listing& listing, Complaints& complaints);

} // namespace luatrail::inventory
