#include "luatrail/rules/host_rules.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "luatrail/base/error.hpp"
#include "luatrail/inventory/inventory.hpp"
#include "luatrail/rules/rule_text.hpp"

namespace luatrail::rules {
namespace {

constexpr std::string_view drop_key = "luatrail-file";

// "## Profiles: full lean" of a file's head; "" when there is no such line.
std::string_view head(std::string_view text, std::string_view name) {
    const auto wanted = fmt::format("## {}: ", name);
    const auto at = text.find(wanted);
    if (at == std::string_view::npos) {
        return "";
    }
    const auto start = at + wanted.size();
    return text.substr(start, text.find('\n', start) - start);
}

bool names(std::string_view list, std::string_view word) {
    return fmt::format(" {} ", list).find(fmt::format(" {} ", word)) != std::string::npos;
}

Rule with(Rule rule, std::string_view field, const std::string& value) {
    for (auto& one : rule.fields) {
        if (one.field == field) {
            one.value = value;
        }
    }
    return rule;
}

bool differ_in_calls_alone(const Rule& a, const Rule& b) {
    return a.list == b.list && a.action == b.action && a.fields == b.fields && a.keys == b.keys && !a.calls.empty() &&
           !b.calls.empty();
}

void add(std::vector<Topic>& topics, Topic& now, Rule rule) {
    const auto unite = [&rule](std::vector<Rule>& rules) {
        const auto same = std::find_if(rules.begin(), rules.end(),
                                       [&rule](const Rule& one) { return differ_in_calls_alone(one, rule); });
        if (same == rules.end()) {
            return false;
        }
        for (auto& call : rule.calls) {
            if (std::find(same->calls.begin(), same->calls.end(), call) == same->calls.end()) {
                same->calls.push_back(std::move(call));
            }
        }
        return true;
    };
    if (std::none_of(topics.begin(), topics.end(), [&](Topic& topic) { return unite(topic.rules); }) &&
        !unite(now.rules)) {
        now.rules.push_back(std::move(rule));
    }
}

// exe= and path= take one file: a rule that names one stands for all of the host's of that kind. Of the shipped file's
// own list only the first one's rules are taken, as patterns.
void add_for(const std::vector<std::string>& files, std::string_view field, const std::vector<Rule>& patterns,
             std::vector<Topic>& topics, Topic& now) {
    for (const auto& file : files) {
        for (const auto& pattern : patterns) {
            if (pattern.field(field)->value == patterns.front().field(field)->value) {
                add(topics, now, with(pattern, field, file));
            }
        }
    }
}

// The runs of a program and what it opens; not its memory or its connections.
bool asks_for_code(const Rule& rule) {
    return std::any_of(rule.calls.begin(), rule.calls.end(), [](const std::string& call) {
        const auto effect = audit::effect_of(audit::call_from_name(call));
        return effect == audit::Effect::exec || effect == audit::Effect::open;
    });
}

struct Patterns {
    std::vector<Rule> programs, code;          // exe=: all of them, and those that ask for code alone
    std::vector<Rule> libraries, interpreters; // path=
};

void add_all(const Patterns& patterns, const Host& host, std::vector<Topic>& topics, Topic& now) {
    add_for(host.interpreters, "exe", patterns.programs, topics, now);
    add_for(host.host_programs, "exe", patterns.programs, topics, now);
    add_for(host.library_users, "exe", patterns.code, topics, now);
    add_for(host.libraries, "path", patterns.libraries, topics, now);
    add_for(host.interpreters, "path", patterns.interpreters, topics, now);
}

// A package manager that root runs writes much and drops nothing (detect/). It is left out of the drop rules
// themselves: a `never` rule would hide it from the host's other rules, too. Run by anybody else it is a way to write
// files, and everything that it does is asked for.
void leave_out_package_manager(std::vector<Topic>& topics, const std::string& exe) {
    for (auto& topic : topics) {
        std::vector<Rule> by_others;
        for (auto& rule : topic.rules) {
            if (rule.keys != std::vector{std::string(drop_key)} || rule.list != List::exit) {
                continue;
            }
            Rule other = rule;
            std::erase_if(other.fields, [](const Comparison& one) { return one.field == "dir"; });
            other.fields.push_back({"exe", "=", exe});
            other.fields.push_back({"uid", "!=", "0"});
            rule.fields.push_back({"exe", "!=", exe});
            Topic united{"", std::move(by_others), {}};
            std::vector<Topic> none;
            add(none, united, std::move(other));
            by_others = std::move(united.rules);
        }
        topic.rules.insert(topic.rules.end(), by_others.begin(), by_others.end());
    }
}

// The calls that the host's processor has, each so that its auditctl takes it: a name that is newer than its libaudit
// stands as the number. False when no call is left.
bool cut_calls(Rule& rule, const Host& host) {
    const auto* const on = processor(rule.field("arch")->value, host.machine);
    std::vector<std::string> calls;
    for (auto& call : rule.calls) {
        const auto number = on == nullptr ? std::nullopt : call_number(call, on->name, host.machine);
        if (number) {
            calls.push_back(auditctl_number(call, *on) ? std::move(call) : std::to_string(*number));
        }
    }
    // Some processors have a second way: socketcall for 64-bit programs, mmap whose arguments are no struct beside
    // mmap2.
    const auto also = [&](std::string_view first, audit::Call second) {
        const auto has = [&calls](std::string_view name) {
            return std::find(calls.begin(), calls.end(), name) != calls.end();
        };
        if (has(first) && !has(audit::to_string(second)) && audit::number_of(second, *on) &&
            audit::shows_arguments(second, *on)) {
            calls.emplace_back(audit::to_string(second));
        }
    };
    if (on != nullptr) {
        also("connect", audit::Call::socketcall);
        also("mmap2", audit::Call::mmap);
    }
    rule.calls = std::move(calls);
    return !rule.calls.empty();
}

// A file that is for one processor names its older calls; others have many of them, too.
Topic topic_of(const ShippedFile& file, const Host& host, std::vector<Topic>& topics) {
    Topic topic{std::string(head(file.text, "luatrail")), {}, {}};
    Patterns patterns;
    const auto only = head(file.text, "Architecture");
    for (auto& rule : parse_rules(file.text, file.name, only.empty() ? host.machine : only).rules) {
        const bool code = asks_for_code(rule);
        if (rule.list == List::io_uring ? !host.io_uring : !cut_calls(rule, host)) {
            continue;
        }
        if (rule.field("exe") != nullptr) {
            if (code) {
                patterns.code.push_back(rule);
            }
            patterns.programs.push_back(std::move(rule));
            continue;
        }
        if (const auto* const path = rule.field("path")) {
            auto& of = inventory::is_lua_library(path->value) ? patterns.libraries : patterns.interpreters;
            of.push_back(std::move(rule));
            continue;
        }
        if (const auto* const dir = rule.field("dir")) {
            const auto lies = host.directory(dir->value);
            if (!lies) {
                if (std::find(topic.left_out.begin(), topic.left_out.end(), dir->value) == topic.left_out.end()) {
                    topic.left_out.push_back(dir->value);
                }
                continue;
            }
            rule = with(std::move(rule), "dir", *lies);
        }
        add(topics, topic, std::move(rule));
    }
    add_all(patterns, host, topics, topic);
    return topic;
}

} // namespace

std::string_view to_string(Profile profile) {
    return profile == Profile::full ? "full" : "lean";
}

std::vector<Topic> host_rules(Profile profile, const Host& host) {
    if (!call_number("execve", "b64", host.machine)) {
        throw base::Error(fmt::format("processor {}: no 64-bit one that luatrail knows; take the files of "
                                      "audit-rules/ as a pattern",
                                      host.machine));
    }
    std::vector<Topic> topics;
    for (const auto& file : shipped_files()) {
        if (!names(head(file.text, "Profiles"), to_string(profile))) {
            continue;
        }
        auto topic = topic_of(file, host, topics);
        if (!topic.rules.empty() || !topic.left_out.empty()) {
            topics.push_back(std::move(topic));
        }
    }
    if (host.package_manager) {
        leave_out_package_manager(topics, *host.package_manager);
    }
    std::erase_if(topics, [](const Topic& topic) { return topic.rules.empty(); });
    return topics;
}

std::string rules_file(Profile profile, const Host& host) {
    std::string out = fmt::format(
        "## luatrail's audit rules, profile {}, for this host ({}); what they are for stands in luatrail-rules(7).\n"
        "## Made by: luatrail rules --profile {}. Make them again when interpreters or directories were added.\n",
        to_string(profile), host.machine, to_string(profile));
    const auto list = [&out](std::string_view title, const std::vector<std::string>& files) {
        out += files.empty() ? "" : fmt::format("## {}: {}\n", title, fmt::join(files, " "));
    };
    out += host.interpreters.empty() ? "## No Lua interpreter is installed here.\n" : "";
    list("Interpreters", host.interpreters);
    list("Programs with Lua inside", host.host_programs);
    list("Programs that load a Lua library", host.library_users);
    list("Lua libraries", host.libraries);
    if (host.package_manager) {
        out += fmt::format("## Changes that root makes by {} are left out of the drops.\n", *host.package_manager);
    }
    out += "## A directory that disappears must not stop the rest:\n-c\n";
    for (const auto& topic : host_rules(profile, host)) {
        out += fmt::format("\n## {}\n", topic.title);
        if (!topic.left_out.empty()) {
            out += fmt::format("## Not on this host: {}\n", fmt::join(topic.left_out, " "));
        }
        for (const auto& rule : topic.rules) {
            out += rule.text() + "\n";
        }
    }
    return out;
}

std::vector<std::string> watched_directories() {
    std::vector<std::string> found;
    for (const auto& file : shipped_files()) {
        for (const auto& rule : parse_rules(file.text, file.name, "x86_64").rules) {
            const auto* dir = rule.field("dir");
            const bool of_files = std::find(rule.keys.begin(), rule.keys.end(), "luatrail-file") != rule.keys.end();
            if (dir != nullptr && of_files && std::find(found.begin(), found.end(), dir->value) == found.end()) {
                found.push_back(dir->value);
            }
        }
    }
    return found;
}

} // namespace luatrail::rules
