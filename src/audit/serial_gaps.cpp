#include "luatrail/audit/serial_gaps.hpp"

#include <algorithm>
#include <utility>

namespace luatrail::audit {
namespace {

constexpr std::uint64_t most_jump = 1'000'000; // farther off, the numbers are another kernel's
constexpr std::size_t most_gaps = 4096;

// One kernel's events come in about their order: what is so far behind and yet no earlier is another kernel's. Two may
// be chance (a call that took long bears the time of its entry).
constexpr std::uint64_t out_of_order = 256;
constexpr int proof = 3;

// So wide a gap is told only when nothing has proved it another kernel's for so many turns.
constexpr std::uint64_t wide_gap = 10'000;
constexpr int turns_of_doubt = 60;

} // namespace

void SerialGaps::saw(std::uint64_t serial, std::int64_t time_ms) {
    if (several_ || (any_ && serial == newest_)) {
        return; // nearly always: the event's next record
    }
    if (any_ && serial + out_of_order < newest_ && time_ms >= newest_ms_ && ++from_others_ >= proof) {
        several_ = true;
        missing_.clear();
        unsettled_ = 0;
        return;
    }
    const auto jump = serial > newest_ ? serial - newest_ : newest_ - serial;
    if (!any_ || jump > most_jump) {
        missing_.clear();
        newest_ = serial;
        at_settle_.fill(serial);
        newest_ms_ = time_ms;
        any_ = true;
        return;
    }
    if (serial > newest_) {
        if (serial > newest_ + 1) {
            doubt_ = jump > wide_gap ? turns_of_doubt : doubt_;
            missing_.emplace(newest_ + 1, serial - 1);
            if (missing_.size() > most_gaps) {
                forget(missing_.begin());
            }
        }
        newest_ = serial;
        newest_ms_ = time_ms;
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
    if (doubt_ > 0) {
        --doubt_;
        return 0;
    }
    while (!missing_.empty() && missing_.begin()->second <= at_settle_[turn_]) {
        forget(missing_.begin());
    }
    at_settle_[turn_] = newest_;
    turn_ = (turn_ + 1) % at_settle_.size();
    lost_ += unsettled_;
    return std::exchange(unsettled_, 0);
}

} // namespace luatrail::audit
