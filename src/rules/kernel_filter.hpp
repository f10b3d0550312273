// What the kernel's filters make of one call: kernel/auditsc.c, audit_filter_rules and audit_filter_syscall.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "luatrail/rules/rule.hpp"

namespace luatrail::rules {

inline constexpr std::uint32_t unset_login = 4294967295;

// A call that a process makes, as far as rules look at it.
struct Probe {
    List list = List::exit;   // or io_uring, where `call` is an operation's name
    std::string arch = "b64"; // or "b32"
    std::string call;
    std::vector<std::string> paths; // of the files that it touches
    std::string exe;                // of the process when the call returns
    std::uint32_t uid = 0;
    std::uint32_t auid = unset_login;
    std::optional<std::uint64_t> a[4]; // nothing: any value
    std::string perm;                  // of "rwxa", what perm= takes the call for
    std::optional<std::uint32_t> saddr_fam;
};

enum class Sight : std::uint8_t { blind, perhaps, seen };

struct Verdict {
    Sight sight = Sight::blind;
    const Rule* hidden_by = nullptr; // the `never` rule that decided, if one did
};

// Which records a call leads to. `machine` as uname(2) names the processor. A comparison that the probe does not answer
// (SELinux labels, process ids) may hold or not: then the call is `perhaps` seen.
Verdict ask_kernel(const RuleSet& set, const Probe& probe, std::string_view machine);

// Whether records of this type ("EXECVE") are thrown away for everybody (the exclude list).
const Rule* excludes(const RuleSet& set, std::string_view record_type);

} // namespace luatrail::rules
