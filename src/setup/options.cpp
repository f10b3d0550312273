#include "luatrail/setup/options.hpp"

#include <unistd.h>

#include "luatrail/rules/host_rules.hpp"

namespace luatrail::setup {

detect::EngineOptions engine_options(const Config& config) {
    detect::EngineOptions options;
    options.window_ms = config.engine.window_ms;
    options.memory = config.engine.memory_bytes;
    for (const auto& path : find_files(config.detect.profiles)) {
        options.profiles.load(path);
    }
    for (const auto& path : find_files(config.detect.baseline)) {
        options.baseline.load(path);
    }
    options.inventory = load_inventory(config);
    options.watched = rules::watched_directories();
    return options;
}

std::size_t in_flight_bytes(const Config& config) {
    return config.engine.memory_bytes / 8;
}
std::size_t waiting_bytes(const Config& config) {
    return config.engine.memory_bytes / 8;
}
std::size_t repeat_bytes(const Config& config) {
    return config.engine.memory_bytes / 16;
}

std::shared_ptr<const inventory::Inventory> load_inventory(const Config& config) {
    const auto& path = config.detect.inventory;
    const bool wanted = !path.empty() && (path != Config{}.detect.inventory || ::access(path.c_str(), F_OK) == 0);
    return wanted ? std::make_shared<const inventory::Inventory>(inventory::load(path)) : nullptr;
}

} // namespace luatrail::setup
