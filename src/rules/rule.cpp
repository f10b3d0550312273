#include "luatrail/rules/rule.hpp"

#include <algorithm>
#include <charconv>

#include <sys/utsname.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <libaudit.h>

namespace luatrail::rules {
namespace {

constexpr std::string_view name_of(List list) {
    switch (list) {
    case List::task:
        return "task";
    case List::exit:
        return "exit";
    case List::user:
        return "user";
    case List::exclude:
        return "exclude";
    case List::filesystem:
        return "filesystem";
    case List::io_uring:
        return "io_uring";
    }
    return "";
}

// libaudit's number of the processor that arch=b64, arch=b32 or a name stands for; -1: none. b32 on a 64-bit processor
// is the 32-bit one that its kernel also runs (libaudit.c, audit_determine_machine).
int machine_of(std::string_view rule_arch, std::string_view machine) {
    const auto native = audit_name_to_machine(std::string(machine).c_str());
    if (rule_arch.empty() || rule_arch == "b64") {
        const bool wide = native == MACH_86_64 || native == MACH_AARCH64 || native == MACH_PPC64 ||
                          native == MACH_PPC64LE || native == MACH_S390X;
        return rule_arch.empty() || wide ? native : -1;
    }
    if (rule_arch == "b32") {
        switch (native) {
        case MACH_86_64:
            return MACH_X86;
        case MACH_AARCH64:
            return MACH_ARM;
        case MACH_PPC64:
            return MACH_PPC;
        case MACH_S390X:
            return MACH_S390;
        case MACH_PPC64LE:
            return -1;
        default:
            return native;
        }
    }
    return audit_name_to_machine(std::string(rule_arch).c_str());
}

} // namespace

const Comparison* Rule::field(std::string_view name) const {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const Comparison& one) { return one.field == name; });
    return found == fields.end() ? nullptr : &*found;
}

std::string Rule::text() const {
    std::string out = fmt::format("-a {},{}", action == Action::always ? "always" : "never", name_of(list));
    const auto add = [&out](const Comparison& one) {
        out += fmt::format(" {} {}{}{}", one.field.find('/') == std::string::npos ? "-F" : "-C", one.field, one.op,
                           one.value);
    };
    const auto* const arch = field("arch"); // auditctl wants it before the calls that it explains
    if (arch != nullptr) {
        add(*arch);
    }
    if (!calls.empty()) {
        out += fmt::format(" -S {}", fmt::join(calls, ","));
    }
    for (const auto& one : fields) {
        if (&one != arch) {
            add(one);
        }
    }
    for (const auto& key : keys) {
        out += fmt::format(" -k {}", key);
    }
    return out;
}

std::optional<std::string> RuleSet::setting(char option) const {
    const auto found =
        std::find_if(settings.rbegin(), settings.rend(), [option](const Setting& one) { return one.option == option; });
    return found == settings.rend() ? std::nullopt : std::optional(found->value);
}

bool same_processor(std::string_view one, std::string_view other, std::string_view machine) {
    const int which = machine_of(one, machine);
    return which >= 0 && which == machine_of(other, machine);
}

std::string machine_name() {
    utsname name{};
    return ::uname(&name) == 0 ? name.machine : "";
}

std::optional<int> call_number(std::string_view call, std::string_view rule_arch, std::string_view machine) {
    int number = 0;
    const auto* last = call.data() + call.size();
    if (const auto [end, error] = std::from_chars(call.data(), last, number); error == std::errc{} && end == last) {
        return number;
    }
    const int which = machine_of(rule_arch, machine);
    number = which < 0 ? -1 : audit_name_to_syscall(std::string(call).c_str(), which);
    return number < 0 ? std::nullopt : std::optional(number);
}

} // namespace luatrail::rules
