#include "plugin/timers.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "luatrail/base/clock.hpp"

namespace luatrail::plugin {
namespace {

constexpr auto turn_every = std::chrono::milliseconds(250);

} // namespace

void Timers::Timer::set(std::int64_t every_ms, bool at_once) {
    every_ms_ = every_ms;
    next_ms_ = at_once ? 0 : std::min(next_ms_, base::monotonic_ms() + every_ms);
}

Timers::Timer& Timers::every(std::int64_t ms, bool at_once, Job job) {
    return timers_.emplace_back(ms, at_once ? 0 : base::monotonic_ms() + ms, std::move(job));
}

void Timers::start() {
    timer_.expires_after(turn_every);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            turn();
            start();
        }
    });
}

void Timers::turn() {
    const auto now = base::monotonic_ms();
    for (auto& timer : timers_) {
        if (now >= timer.next_ms_ && timer.job_()) {
            timer.next_ms_ = now + timer.every_ms_;
        }
    }
}

void Timers::stop() {
    timer_.cancel();
}

} // namespace luatrail::plugin
