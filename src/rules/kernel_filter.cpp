#include "rules/kernel_filter.hpp"

#include <algorithm>
#include <charconv>

namespace luatrail::rules {
namespace {

enum class Truth : std::uint8_t { no, maybe, yes };

Truth truth(bool holds) {
    return holds ? Truth::yes : Truth::no;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    if (text == "unset" || text == "-1") {
        return unset_login;
    }
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.remove_prefix(2);
        base = 16;
    } else if (text.size() > 1 && text.front() == '0') {
        base = 8; // strtoul with base 0
    }
    std::uint64_t number = 0;
    const auto* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number, base);
    return error == std::errc{} && end == last ? std::optional(number) : std::nullopt;
}

Truth compare(std::uint64_t left, const Comparison& one) {
    const auto right = number_of(one.value);
    if (!right) {
        return Truth::maybe; // a user's name
    }
    if (one.op == "=") {
        return truth(left == *right);
    }
    if (one.op == "!=") {
        return truth(left != *right);
    }
    if (one.op == "<") {
        return truth(left < *right);
    }
    if (one.op == "<=") {
        return truth(left <= *right);
    }
    if (one.op == ">") {
        return truth(left > *right);
    }
    if (one.op == ">=") {
        return truth(left >= *right);
    }
    return truth(one.op == "&" ? (left & *right) != 0 : (left & *right) == *right);
}

bool lies_in(std::string_view path, std::string_view directory) {
    while (directory.size() > 1 && directory.ends_with("/")) {
        directory.remove_suffix(1);
    }
    return path == directory || directory == "/" ||
           (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

Truth holds(const Comparison& one, const Probe& probe, std::string_view machine) {
    const auto any = [&](auto test) { return truth(std::any_of(probe.paths.begin(), probe.paths.end(), test)); };
    if (one.field == "arch") {
        if (one.op == "=" && one.value == probe.arch) {
            return Truth::yes; // as most are written
        }
        return truth(same_processor(one.value, probe.arch, machine) == (one.op == "="));
    }
    if (one.field == "dir") {
        return any([&](const std::string& path) { return lies_in(path, one.value); });
    }
    if (one.field == "path") {
        return any([&](const std::string& path) { return path == one.value; });
    }
    if (one.field == "exe") {
        return truth((probe.exe == one.value) == (one.op == "="));
    }
    if (one.field == "perm") {
        return truth(probe.perm.find_first_of(one.value) != std::string::npos);
    }
    if (one.field == "success") { // what is asked about are calls that succeed
        return truth((one.value == "1" || one.value == "yes") == (one.op == "="));
    }
    if (one.field == "auid" || one.field == "loginuid") {
        return compare(probe.auid, one);
    }
    if (one.field == "loginuid_set") {
        return compare(probe.auid == unset_login ? 0 : 1, one);
    }
    if (one.field == "uid" || one.field == "euid" || one.field == "suid" || one.field == "fsuid") {
        return compare(probe.uid, one);
    }
    if (one.field == "saddr_fam") {
        return probe.saddr_fam ? compare(*probe.saddr_fam, one) : Truth::no;
    }
    if (one.field.size() == 2 && one.field[0] == 'a' && one.field[1] >= '0' && one.field[1] <= '3') {
        const auto& value = probe.a[one.field[1] - '0'];
        return value ? compare(*value, one) : Truth::maybe;
    }
    return Truth::maybe;
}

// The mask of a rule holds numbers, which mean other calls on another processor: without arch= they hold for both.
bool names_call(const Rule& rule, const Probe& probe, std::string_view machine) {
    if (probe.list == List::io_uring) {
        return rule.calls.empty() || std::find(rule.calls.begin(), rule.calls.end(), probe.call) != rule.calls.end();
    }
    const auto wanted = call_number(probe.call, probe.arch, machine);
    const auto* const arch = rule.field("arch");
    return rule.calls.empty() || std::any_of(rule.calls.begin(), rule.calls.end(), [&](const std::string& call) {
               return call_number(call, arch == nullptr ? "" : arch->value, machine) == wanted;
           });
}

Truth matches(const Rule& rule, const Probe& probe, std::string_view machine) {
    auto all = Truth::yes;
    for (const auto& one : rule.fields) { // first: most rules are about another file
        all = std::min(all, holds(one, probe, machine));
        if (all == Truth::no) {
            return all;
        }
    }
    return rule.list == probe.list && !names_call(rule, probe, machine) ? Truth::no : all;
}

} // namespace

Verdict ask_kernel(const RuleSet& set, const Probe& probe, std::string_view machine) {
    Verdict verdict;
    for (const auto& rule : set.rules) { // a process that was made under such a rule has no audit context at all
        if (rule.list == List::task && rule.action == Action::never && matches(rule, probe, machine) == Truth::yes) {
            return {Sight::blind, &rule};
        }
    }
    bool may_report = false; // by a rule before
    bool may_hide = false;
    for (const auto& rule : set.rules) {
        if (rule.list != probe.list) {
            continue;
        }
        const auto match = matches(rule, probe, machine);
        if (match == Truth::no) {
            continue;
        }
        const bool report = rule.action == Action::always;
        verdict.hidden_by = report ? verdict.hidden_by : &rule;
        if (match == Truth::yes) {
            const bool open = report ? may_hide : may_report;
            verdict.sight = open ? Sight::perhaps : report ? Sight::seen : Sight::blind;
            return verdict;
        }
        (report ? may_report : may_hide) = true;
    }
    verdict.sight = may_report ? Sight::perhaps : Sight::blind;
    return verdict;
}

const Rule* excludes(const RuleSet& set, std::string_view record_type) {
    const auto found = std::find_if(set.rules.begin(), set.rules.end(), [&](const Rule& rule) {
        const auto* const type = rule.field("msgtype");
        return rule.list == List::exclude && type != nullptr && type->op == "=" && type->value == record_type &&
               rule.fields.size() == 1;
    });
    return found == set.rules.end() ? nullptr : &*found;
}

} // namespace luatrail::rules
