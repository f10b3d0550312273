// Audit rules: as a rules file writes them (auditctl(8), audit.rules(7)), and as the kernel holds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/audit/syscalls.hpp"

namespace luatrail::rules {

enum class Action : std::uint8_t { always, never };

// The kernel's filter lists (linux/audit.h, AUDIT_FILTER_*).
enum class List : std::uint8_t { task, exit, user, exclude, filesystem, io_uring };

// One -F: all of a rule must hold.
struct Comparison {
    std::string field; // as auditctl names it: "arch", "dir", "a2"
    std::string op;    // "=", "!=", "<", "<=", ">", ">=", "&", "&="
    std::string value; // as written; numbers as the kernel's list gives them in decimal
    friend bool operator==(const Comparison&, const Comparison&) = default;
};

struct Rule {
    List list = List::exit;
    Action action = Action::always;
    std::vector<std::string> calls; // names, or numbers that have none; empty: every call
    std::vector<Comparison> fields; // without the key
    std::vector<std::string> keys;
    std::string origin; // "FILE:12", or "loaded rule 3"

    // The first comparison of this field; null when there is none.
    const Comparison* field(std::string_view name) const;
    // In auditctl's words: "-a always,exit -F arch=b64 -S execve -k key". A watch comes out as its system-call form.
    std::string text() const;
};

// What a rules file or the kernel holds beside rules: "-e 2", "-b 8192", "-c".
struct Setting {
    char option = 0;
    std::string value; // empty for -D, -c, -i
    std::string origin;
};

struct RuleSet {
    std::vector<Rule> rules; // in the order in which the kernel asks them
    std::vector<Setting> settings;
    std::vector<std::string> errors; // "FILE:12: REASON": lines that auditctl would refuse

    // The last value of an option; nothing when it is not set.
    std::optional<std::string> setting(char option) const;
};

// This machine's processor, as uname(2) names it.
std::string machine_name();

// The processor that arch=b64, arch=b32, another value or no arch= (an empty one) stands for on this machine; null:
// none that is known.
const audit::Architecture* processor(std::string_view rule_arch, std::string_view machine);

// The number of a call under such a value; nothing when the processor has no such call. Calls that luatrail has no use
// for are libaudit's knowledge: a rule of another tool may name them.
std::optional<int> call_number(std::string_view call, std::string_view rule_arch, std::string_view machine);

// The name of a call; its number when it has none.
std::string call_name(int number, const audit::Architecture& on);
// The number by which auditctl knows a name; nothing when the libaudit of this machine does not know it.
std::optional<int> auditctl_number(std::string_view call, const audit::Architecture& on);

// Whether two values of arch= stand for one processor: b64 and x86_64, on x86_64.
bool same_processor(std::string_view one, std::string_view other, std::string_view machine);

} // namespace luatrail::rules
