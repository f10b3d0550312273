// The running plugin's status as a page for a person, and whether the plugin runs at all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace luatrail::plugin {

// Both from the status file's JSON; both throw base::Error when it is none.
std::string status_text(std::string_view json, std::int64_t wall_clock_ms);

// The plugin that wrote it: its pid, and whether it meant to go on. `late`: it has not written when it should have.
struct StatusWriter {
    std::uint32_t pid = 0;
    bool ended = false, late = false;
};
StatusWriter status_writer(std::string_view json, std::int64_t wall_clock_ms);

} // namespace luatrail::plugin
