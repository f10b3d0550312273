// What the kernel's audit is set to now.
#pragma once

#include <cstdint>

#include "luatrail/rules/rule.hpp"

namespace luatrail::rules {

// The rules that the kernel has loaded now. Throws base::Error when it can't be asked (CAP_AUDIT_CONTROL).
RuleSet loaded_rules();

// struct audit_status (linux/audit.h).
struct KernelStatus {
    std::uint32_t enabled = 0; // 0 off, 1 on, 2 on and locked until the next boot
    std::uint32_t failure = 0; // 0 silent, 1 a line in the kernel's log, 2 panic
    std::uint32_t pid = 0;     // of auditd; 0: nobody listens
    std::uint32_t rate_limit = 0, backlog_limit = 0, lost = 0, backlog = 0;
};

// Throws base::Error when the kernel can't be asked.
KernelStatus kernel_status();

} // namespace luatrail::rules
