#include "plugin/loss_watch.hpp"

#include <fmt/format.h>

#include "luatrail/base/pack.hpp"
#include "plugin/recent.hpp"

namespace luatrail::plugin {
namespace {

// auditd's own records (linux/audit.h: AUDIT_FIRST_DAEMON to AUDIT_LAST_DAEMON) have numbers of its own.
bool is_of_kernel(const audit::Record& record) {
    return record.type < 1200 || record.type > 1299;
}

struct Where {
    std::uint64_t LossCounters::*count;
    const char* name;
    const char* text;
    const char* remedy;
};

constexpr Where loss_counters[] = {
    {&LossCounters::kernel, "kernel", "records that the kernel lost: {}", "raise the backlog limit (auditctl -b)"},
    {&LossCounters::missing, "missing", "events that never came: {}",
     "raise q_depth in auditd.conf, and look for a filter before this plugin"},
    {&LossCounters::room, "room", "events closed early or cut: {}", "raise engine.memory"},
    {&LossCounters::syslog, "syslog", "findings that syslog did not take: {}",
     "see whether syslog runs, or raise limits.queue"},
};

} // namespace

void LossWatch::saw(const audit::Record& record) {
    if (!is_of_kernel(record)) {
        return;
    }
    if (!node_) {
        if (!is_recent(record.id.time_ms)) {
            return;
        }
        node_ = std::string(record.node);
    }
    if (record.node == *node_) {
        gaps_.saw(record.id.serial, record.id.time_ms);
    }
}

bool LossWatch::kernel_said(const rules::KernelStatus& status) {
    const auto before = kernel_lost_.value_or(status.lost);
    const std::uint32_t more = status.lost >= before ? status.lost - before : status.lost; // auditctl --reset-lost
    now_.kernel += more;
    kernel_lost_ = status.lost;
    kernel_ = status;
    return more > 0;
}

bool LossWatch::settle() {
    const auto more = gaps_.settle();
    now_.missing += more;
    return more > 0;
}

void LossWatch::own_losses(std::uint64_t room, std::uint64_t syslog) {
    now_.room = room;
    now_.syslog = syslog;
}

LossCounters LossWatch::counters() const {
    return now_;
}

std::optional<report::Notice> LossWatch::notice(std::int64_t monotonic_ms, std::int64_t wall_clock_ms) {
    if (told_at_ && monotonic_ms - *told_at_ < notice_every_ms) {
        return std::nullopt;
    }
    report::Notice notice;
    for (const auto& place : loss_counters) {
        const auto more = now_.*place.count - told_.*place.count;
        notice.counts.emplace_back(place.name, more);
        if (more > 0) {
            notice.text += notice.text.empty() ? "" : "; ";
            notice.text += fmt::format(fmt::runtime(place.text), more);
            notice.remedy += notice.remedy.empty() ? "" : "; ";
            notice.remedy += place.remedy;
        }
    }
    if (notice.text.empty()) {
        return std::nullopt;
    }
    notice.kind = "lost-records";
    notice.time_ms = wall_clock_ms;
    if (node_ && !node_->empty()) {
        notice.node = node_;
    }
    notice.text += "; what happened then may not have been seen";
    told_ = now_;
    told_at_ = monotonic_ms;
    return notice;
}

void LossWatch::save(base::Packer& out) const {
    out(kernel_lost_, gaps_.newest(), node_);
}

void LossWatch::load(base::Unpacker& in, bool same_boot) {
    std::optional<std::uint64_t> newest;
    in(kernel_lost_, newest, node_);
    if (!same_boot) {
        kernel_lost_.reset();
        node_.reset();
    } else if (newest) {
        gaps_.saw(*newest, 0);
    }
}

} // namespace luatrail::plugin
