// Whether records tell of this host now: a recording may be fed to the plugin, too, and the host is no word of it.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "luatrail/base/clock.hpp"

namespace luatrail::plugin {

inline bool is_recent(std::int64_t time_ms) {
    constexpr std::int64_t lately_ms = 300'000;
    return std::abs(base::wall_clock_ms() - time_ms) < lately_ms;
}

} // namespace luatrail::plugin
