// Beside the rules: what of the kernel's audit and of auditd keeps records from arriving.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "luatrail/rules/loaded.hpp"
#include "luatrail/rules/rule.hpp"

namespace luatrail::rules {

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

// Where auditd of that directory writes its log; nothing where it writes none.
std::optional<std::string> auditd_log(const std::string& directory);

// auditd.conf(5) and plugins.d/luatrail.conf (auditd-plugins(5)) of a directory, "/etc/audit".
std::vector<Check> auditd_checks(const std::string& directory);

} // namespace luatrail::rules
