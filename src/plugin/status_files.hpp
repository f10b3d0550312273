// The files that tell others how the plugin does.
#pragma once

#include <optional>
#include <string>

#include "luatrail/setup/config.hpp"
#include "plugin/status.hpp"

namespace luatrail::plugin {

// Makes the folder of status.file where only that one is missing (/run is empty after each boot).
void prepare_status_folder(const setup::Config::Status& config);

// Both files, atomically, readable by everybody: there are only counts in them. Why one failed.
std::optional<std::string> write_status(const setup::Config::Status& config, const Status& status);

} // namespace luatrail::plugin
