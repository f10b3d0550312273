// An inventory made from what is below a root.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "luatrail/inventory/inventory.hpp"

namespace luatrail::inventory {

struct BuildOptions {
    std::string root = "/"; // nothing outside of it is read, whatever links say
    // The profile of a program that may be an interpreter, by its path; nothing for others.
    std::string_view (*profile_of)(std::string_view path) = nullptr;
    std::string rpm_helper; // the program that lists an rpm database; empty: none
};

// When a package database of this host was last changed, milliseconds since 1970; 0 where there is none.
std::int64_t databases_changed_ms();

// Reads the databases below the root. Malformed entries are counted and named in `complaints`. Throws base::Error where
// there is no root, or no package database in it.
Inventory build(const BuildOptions& options);

} // namespace luatrail::inventory
