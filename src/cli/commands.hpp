// The commands, one file each. Each adds itself to the command line and returns what runs it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "luatrail/setup/config.hpp"
#include "luatrail/setup/options.hpp"

namespace CLI {
class App;
}

namespace luatrail::cli {

// What `plugin` reads by default.
inline constexpr const char* default_config_path = "/etc/luatrail/luatrail.toml";

using Command = std::function<int()>; // returns the exit status; throws base::Error

Command add_replay(CLI::App& app);
Command add_events(CLI::App& app);
Command add_plugin(CLI::App& app);
Command add_inventory(CLI::App& app);
Command add_baseline(CLI::App& app);
Command add_rules(CLI::App& app);
Command add_doctor(CLI::App& app);
Command add_status(CLI::App& app);
Command add_config(CLI::App& app);
Command add_completion(CLI::App& app); // of what the app has when it runs

} // namespace luatrail::cli
