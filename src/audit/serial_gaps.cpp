#include "luatrail/audit/serial_gaps.hpp"

#include <algorithm>
#include <utility>

namespace luatrail::audit {
namespace {

constexpr std::uint64_t most_jump = 1'000'000; // farther off, the numbers are another kernel's
constexpr std::size_t most_gaps = 4096;

} // namespace

void SerialGaps::saw(std::uint64_t serial) {
    if (any_ && serial == newest_) {
        return; // nearly always: the event's next record
    }
    const auto jump = serial > newest_ ? serial - newest_ : newest_ - serial;
    if (!any_ || jump > most_jump) {
        missing_.clear();
        newest_ = at_last_settle_ = at_settle_before_ = serial;
        any_ = true;
        return;
    }
    if (serial > newest_) {
        if (serial > newest_ + 1) {
            missing_.emplace(newest_ + 1, serial - 1);
            if (missing_.size() > most_gaps) {
                forget(missing_.begin());
            }
        }
        newest_ = serial;
        return;
    }
    auto gap = missing_.upper_bound(serial);
    if (gap == missing_.begin() || (--gap)->second < serial) {
        return; // it was there before
    }
    const auto [first, last] = *gap;
    missing_.erase(gap);
    if (first < serial) {
        missing_.emplace(first, serial - 1);
    }
    if (serial < last) {
        missing_.emplace(serial + 1, last);
    }
}

void SerialGaps::forget(std::map<std::uint64_t, std::uint64_t>::iterator gap) {
    unsettled_ += gap->second - gap->first + 1;
    missing_.erase(gap);
}

std::uint64_t SerialGaps::settle() {
    while (!missing_.empty() && missing_.begin()->second <= at_settle_before_) {
        forget(missing_.begin());
    }
    at_settle_before_ = std::exchange(at_last_settle_, newest_);
    lost_ += unsettled_;
    return std::exchange(unsettled_, 0);
}

} // namespace luatrail::audit
