// Serial numbers that never came: events that were lost between the kernel and us.
//
// The kernel counts events up by one (kernel/audit.c, audit_serial) and takes a number only for what it goes on to
// record, so a number that stays away was lost: by the kernel, in auditd's queue, or by a filter in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace luatrail::audit {

class SerialGaps {
  public:
    // In about the order of the numbers; late and repeated ones are fine.
    void saw(std::uint64_t serial);

    // Once in a while (a second or more): what was missing at the last two calls, and is still, counts as lost. Returns
    // how many that were.
    std::uint64_t settle();

    std::uint64_t lost() const { return lost_; } // so far

    // The newest number, for a next start that goes on where this one ended; nothing when none came yet.
    std::optional<std::uint64_t> newest() const { return any_ ? std::optional(newest_) : std::nullopt; }

  private:
    void forget(std::map<std::uint64_t, std::uint64_t>::iterator gap);

    std::map<std::uint64_t, std::uint64_t> missing_; // first to last of each gap
    std::uint64_t newest_ = 0, at_last_settle_ = 0, at_settle_before_ = 0;
    std::uint64_t lost_ = 0, unsettled_ = 0;
    bool any_ = false;
};

} // namespace luatrail::audit
