// Gives the account that the plugin becomes what the plugin writes: as root, behind StateFile::lock().
#pragma once

#include <string>

#include "luatrail/setup/config.hpp"
#include "plugin/privileges.hpp"
#include "plugin/write_limits.hpp"

namespace luatrail::plugin {

// The state's directory, and those of the status, as the account finds them. A directory that root made for luatrail
// alone stays root's; the account's group may make files in it, and replace its own (sticky bit): not the inventory,
// which root writes. In a directory of others the status file itself becomes the account's, and is rewritten in place.
struct HandedOver {
    WritePlaces places;
    std::string trouble; // root can write in the state's directory, and the account cannot
};
HandedOver hand_over(const setup::Config& config, const Account& account);

// The same places where nobody is given anything: the process stays who it is.
WritePlaces write_places(const setup::Config& config);

} // namespace luatrail::plugin
