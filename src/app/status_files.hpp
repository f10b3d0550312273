// The files that tell others how the plugin does.
#pragma once

#include <optional>
#include <string>

#include "luatrail/app/config.hpp"
#include "luatrail/live/status.hpp"

namespace luatrail::app {

// Makes the folder of status.file where only that one is missing (/run is empty after each boot).
void prepare_status_folder(const Config::Status& config);

// Both files, atomically, readable by everybody: there are only counts in them. Why one failed.
std::optional<std::string> write_status(const Config::Status& config, const live::Status& status);

} // namespace luatrail::app
