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

// b32 on a 64-bit processor is the 32-bit one that its kernel also runs (libaudit.c, audit_determine_machine).
const audit::Architecture* processor(std::string_view rule_arch, std::string_view machine) {
    const auto* const native = audit::architecture_of(machine);
    if (rule_arch == "b64") {
        return native != nullptr && native->wide() ? native : nullptr;
    }
    if (rule_arch == "b32") {
        return native != nullptr && native->wide() ? audit::architecture_of(native->narrow) : native;
    }
    return rule_arch.empty() ? native : audit::architecture_of(rule_arch);
}

bool same_processor(std::string_view one, std::string_view other, std::string_view machine) {
    const auto* const which = processor(one, machine);
    return which != nullptr && which == processor(other, machine);
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
    const auto* const on = processor(rule_arch, machine);
    if (on == nullptr) {
        return std::nullopt;
    }
    if (const auto known = audit::call_from_name(call); known != audit::Call::other) {
        return audit::number_of(known, *on);
    }
    return auditctl_number(call, *on);
}

std::optional<int> auditctl_number(std::string_view call, const audit::Architecture& on) {
    const int machine = audit_elf_to_machine(on.value);
    const int number = machine < 0 ? -1 : audit_name_to_syscall(std::string(call).c_str(), machine);
    return number < 0 ? std::nullopt : std::optional(number);
}

std::string call_name(int number, const audit::Architecture& on) {
    const auto known = audit::call_of(on, static_cast<std::uint32_t>(number));
    if (known != audit::Call::other) {
        return std::string(audit::to_string(known));
    }
    const int machine = audit_elf_to_machine(on.value);
    const auto* const name = machine < 0 ? nullptr : audit_syscall_to_name(number, machine);
    return name == nullptr ? std::to_string(number) : name;
}

} // namespace luatrail::rules
