// apk's "installed" database, https://wiki.alpinelinux.org/wiki/Apk_spec
#pragma once

#include "inventory/database.hpp"

namespace luatrail::inventory {

// False where the root has no such database.
bool read_apk(const Root& root, Listing& listing, Complaints& complaints);

} // namespace luatrail::inventory
