// Beside the rules: what of the kernel's audit and of auditd keeps records from arriving.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "luatrail/rules/rule.hpp"

namespace luatrail::rules {

// struct audit_status (linux/audit.h).
struct KernelStatus {
    std::uint32_t enabled = 0; // 0 off, 1 on, 2 on and locked until the next boot
    std::uint32_t failure = 0; // 0 silent, 1 a line in the kernel's log, 2 panic
    std::uint32_t pid = 0;     // of auditd; 0: nobody listens
    std::uint32_t rate_limit = 0, backlog_limit = 0, lost = 0, backlog = 0;
};

// Throws base::Error when the kernel can't be asked.
KernelStatus kernel_status();

enum class Health : std::uint8_t { good, warning, fault };

struct Check {
    std::string id; // "kernel/backlog-limit": stable
    Health health = Health::good;
    std::string text; // what is the case
    std::string remedy;
};

std::vector<Check> kernel_checks(const KernelStatus& status);

// What a rules file sets beside rules (-e, -b, -r, -f).
std::vector<Check> setting_checks(const RuleSet& set);

// auditd.conf(5) and plugins.d/luatrail.conf (auditd-plugins(5)) of a directory, "/etc/audit".
std::vector<Check> auditd_checks(const std::string& directory);

} // namespace luatrail::rules
