#include "luatrail/base/clock.hpp"

#include <chrono>

namespace luatrail::base {
namespace {

template <class Clock>
std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
}

} // namespace

std::int64_t monotonic_ms() {
    return now_ms<std::chrono::steady_clock>();
}

std::int64_t wall_clock_ms() {
    return now_ms<std::chrono::system_clock>();
}

} // namespace luatrail::base
