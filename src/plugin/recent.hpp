// Whether records are of this host's present: the plugin may be fed a recording, too.
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
