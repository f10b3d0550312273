// Serial numbers that never came: events that were lost between the kernel and us.
//
// The kernel counts events up by one (kernel/audit.c, audit_serial) and takes a number only for what it goes on to
// record, so a number that stays away was lost: by the kernel, in auditd's queue, or by a filter in between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace luatrail::audit {

class SerialGaps {
  public:
    // In about the order of the numbers; late and repeated ones are fine. `time_ms` is the event's.
    void saw(std::uint64_t serial, std::int64_t time_ms);

    // Once in a while (a second or more): what was missing at the last five calls, and is still, counts as lost: on
    // a busy processor a process may be held up between taking its number and handing its record on. After a
    // gap of more than 10,000 numbers only 60 calls later. Returns how many that were.
    std::uint64_t settle();

    std::uint64_t lost() const { return lost_; } // so far

    // Whether the numbers are those of several kernels, as on a host to which others send their records without a
    // node's name (auditd.conf(5), distribute_network): no gap says anything then, and none is counted any more.
    bool several() const { return several_; }

    // The newest number, for a next start that goes on where this one ended; nothing when none came yet.
    std::optional<std::uint64_t> newest() const { return any_ ? std::optional(newest_) : std::nullopt; }

  private:
    void forget(std::map<std::uint64_t, std::uint64_t>::iterator gap);

    std::map<std::uint64_t, std::uint64_t> missing_; // first to last of each gap
    std::uint64_t newest_ = 0;
    std::array<std::uint64_t, 5> at_settle_{}; // the newest at each of the last calls, that of the oldest at turn_
    std::size_t turn_ = 0;
    std::uint64_t lost_ = 0, unsettled_ = 0;
    std::int64_t newest_ms_ = 0; // time of the newest number's event
    int doubt_ = 0;              // turns until a wide gap is believed
    int from_others_ = 0;        // numbers that were too far behind, and not late
    bool any_ = false, several_ = false;
};

} // namespace luatrail::audit
