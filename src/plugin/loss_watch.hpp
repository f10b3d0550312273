// What was lost before luatrail saw it, or by luatrail itself: counted by where, and reported once a minute at most.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "luatrail/audit/record.hpp"
#include "luatrail/audit/serial_gaps.hpp"
#include "luatrail/report/syslog.hpp"
#include "luatrail/rules/host_checks.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace luatrail::plugin {

struct LossCounters {
    std::uint64_t kernel = 0;  // records that the kernel counted as lost (struct audit_status, lost)
    std::uint64_t missing = 0; // events whose numbers never came: the kernel's losses, auditd's, a filter's
    std::uint64_t room = 0;    // events that were closed early, or cut, for want of room in luatrail
    std::uint64_t syslog = 0;  // findings that syslog did not take in time
};

class LossWatch {
  public:
    static constexpr std::int64_t notice_every_ms = 60'000;

    // Each record. Only those of the node that the first recent one names are this host's.
    void saw(const audit::Record& record);
    // An answer of the kernel. Returns whether more was lost since the one before, also that of an earlier run of the
    // plugin in the same boot.
    bool kernel_said(const rules::KernelStatus& status);
    // About once a second. Returns whether numbers were found missing.
    bool settle();
    // Totals so far of what luatrail itself lost.
    void own_losses(std::uint64_t room, std::uint64_t syslog);

    LossCounters counters() const;
    const std::optional<rules::KernelStatus>& kernel() const { return kernel_; } // the latest answer
    const std::optional<std::string>& node() const { return node_; }             // this host's, once it is known

    // What was lost since the last notice, if anything, and if that is a minute ago.
    std::optional<report::Notice> notice(std::int64_t monotonic_ms, std::int64_t wall_clock_ms);

    // The kernel's counter and the newest number as they were seen last. load() throws base::UnpackError.
    void save(base::Packer& out) const;
    void load(base::Unpacker& in, bool same_boot);

  private:
    audit::SerialGaps gaps_;
    std::optional<std::string> node_;
    std::optional<rules::KernelStatus> kernel_;
    std::optional<std::uint32_t> kernel_lost_; // its counter, of the latest answer
    LossCounters now_, told_;
    std::optional<std::int64_t> told_at_;
};

} // namespace luatrail::plugin
