// Whether somebody switched the audit off, took rules out, or ended auditd: from the records that the kernel and auditd
// write of it (CONFIG_CHANGE, kernel/audit.c and kernel/auditfilter.c; DAEMON_END). What happened then was not seen.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "luatrail/audit/record.hpp"
#include "luatrail/report/syslog.hpp"

namespace luatrail::plugin {

class SwitchWatch {
  public:
    // Receives notices of kind "audit-off", "audit-on", "audit-rules" and "auditd-stopped".
    explicit SwitchWatch(std::function<void(const report::Notice&)> tell) : tell_(std::move(tell)) {}

    // Each record.
    void saw(const audit::Record& record);
    // Rules are taken out and put in again when they are reloaded: reported once nothing changed for five seconds
    // before `now_ms` (event time; the wall clock in a live feed).
    void settle(std::int64_t now_ms);
    void flush(); // the end of the log

  private:
    void tell(std::string kind, const audit::Record& record, std::string text, std::string remedy) const;

    std::function<void(const report::Notice&)> tell_;
    std::uint64_t removed_ = 0, added_ = 0; // rules, since the last notice
    std::int64_t changed_ms_ = 0;
    std::string node_;
};

} // namespace luatrail::plugin
