// What the engine is started with, as a configuration says it.
#pragma once

#include <cstddef>
#include <memory>

#include "luatrail/detect/engine.hpp"
#include "luatrail/inventory/inventory.hpp"
#include "luatrail/setup/config.hpp"

namespace luatrail::setup {

// Profiles (the built-in ones, then the configuration's files) and baselines, with the window and the bound. Throws
// base::Error.
detect::EngineOptions engine_options(const Config& config);

// What events in flight may take of engine.memory: docs/design.md, "Memory".
std::size_t in_flight_bytes(const Config& config);
std::size_t waiting_bytes(const Config& config); // of findings that wait for syslog
std::size_t repeat_bytes(const Config& config);  // of findings that were reported and may come again

// The one that the configuration names; null where it names none, or the default one is not there. Throws base::Error.
std::shared_ptr<const inventory::Inventory> load_inventory(const Config& config);

} // namespace luatrail::setup
