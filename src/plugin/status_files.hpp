// The files with the plugin's counters.
#pragma once

#include <optional>
#include <string>

#include "luatrail/setup/config.hpp"
#include "plugin/status.hpp"

namespace luatrail::plugin {

// Both files, readable by everybody: there are only counts in them. Atomically where the directory lets this user make
// files; else the file that is there is rewritten in place, in one write, blank lines in the place of what was longer.
// Why one failed.
std::optional<std::string> write_status(const setup::Config::Status& config, const Status& status);

} // namespace luatrail::plugin
