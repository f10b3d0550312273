// dpkg(1), deb-control(5), /var/lib/dpkg/info/format 1.
#pragma once

#include "inventory/database.hpp"

namespace luatrail::inventory {

// False where the root has no such database.
bool read_dpkg(const Root& root, Listing& listing, Complaints& complaints);

} // namespace luatrail::inventory
