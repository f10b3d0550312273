// The clocks of this host. Event time is the engine's clock; these are for what lives beside it.
#pragma once

#include <cstdint>

namespace luatrail::base {

std::int64_t monotonic_ms();  // since any origin; never goes back
std::int64_t wall_clock_ms(); // since 1970

} // namespace luatrail::base
