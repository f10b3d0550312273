#include "luatrail/detect/proposal.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/detect/invocation.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::size_t most_code = 500; // bytes of a command line's code that somebody would still read

// '*', '?', '[' and '\' of a path stand for themselves.
std::string as_glob(std::string_view path) {
    std::string out;
    for (const char c : path) {
        if (c == '*' || c == '?' || c == '[' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out;
}

// A TOML basic string.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : base::to_utf8(text)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\u{:04X}", byte);
        } else {
            out += c;
        }
    }
    return out + "\"";
}

// Letters, digits, and '-' for the rest.
std::string as_id(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                           c == '_' || c == '@';
        if (plain) {
            out += c;
        } else if (!out.empty() && out.back() != '-') {
            out += '-';
        }
    }
    while (!out.empty() && out.back() == '-') {
        out.pop_back();
    }
    return out.empty() ? "run" : out;
}

void number_equal_ids(std::vector<Proposal>& proposals) {
    std::stable_sort(proposals.begin(), proposals.end(),
                     [](const Proposal& a, const Proposal& b) { return a.rule.id < b.rule.id; });
    std::map<std::string, int> times;
    for (auto& one : proposals) {
        if (const int time = ++times[one.rule.id]; time > 1) {
            one.rule.id += fmt::format("-{}", time);
        }
    }
}

// The interpreter of a packaged script, as a pattern. Debian's lua-any picks one of those that are installed.
std::string interpreter_glob(const std::string& program) {
    return program == "/usr/bin/lua-any" ? "/usr/bin/lua5.*" : as_glob(program);
}

std::string package_text(const inventory::Inventory& inventory, std::uint32_t package) {
    const auto& one = inventory.packages[package];
    return one.depends_on_lua.empty() ? fmt::format("package {} {}", one.name, one.version)
                                      : fmt::format("package {} {}, which needs {}", one.name, one.version,
                                                    fmt::join(one.depends_on_lua, ", "));
}

std::vector<std::string> words_of(std::string_view command) {
    std::vector<std::string> words;
    while (!command.empty()) {
        const auto start = std::min(command.find_first_not_of(" \t"), command.size());
        command.remove_prefix(start);
        const auto end = std::min(command.find_first_of(" \t"), command.size());
        if (end > 0) {
            words.emplace_back(command.substr(0, end));
        }
        command.remove_prefix(end);
    }
    return words;
}

// An expectation of a command line; nothing when it runs no Lua, or none that a file holds.
std::optional<Rule> rule_of(const inventory::Inventory& inventory, std::string_view command) {
    static const auto profiles = ProfileSet::builtin();
    const auto words = words_of(command);
    if (words.empty()) {
        return std::nullopt;
    }
    const auto owner = inventory.owner(words[0]);
    const auto path = owner ? owner->path : inventory.canonical(words[0]);
    Rule rule;
    if (owner && owner->file->kind == inventory::FileKind::lua_script) {
        rule.executable = interpreter_glob(owner->file->program);
        rule.script = as_glob(owner->path);
        return rule;
    }
    const auto match = profiles.match(path, words[0], words.size() > 1 ? words[1] : "");
    if (match.profile == nullptr || !match.profile->argv1.empty()) {
        return std::nullopt;
    }
    const auto invocation = parse_invocation(*match.profile, {words, {}, false, false});
    if (!invocation.runs_code || !invocation.script || !invocation.script->starts_with('/')) {
        return std::nullopt;
    }
    rule.executable = as_glob(path);
    rule.script = as_glob(inventory.canonical(*invocation.script));
    return rule;
}

} // namespace

std::vector<Proposal> propose(const inventory::Inventory& inventory) {
    std::vector<Proposal> made;
    for (const auto& unit : inventory.units) {
        for (const auto& command : unit.commands) {
            if (auto rule = rule_of(inventory, command)) {
                rule->id = as_id(unit.name);
                rule->user = unit.user.value_or("root");
                rule->unit = unit.name;
                rule->because = unit.package ? fmt::format("unit {} of package {}", unit.name,
                                                           inventory.packages[*unit.package].name)
                                             : fmt::format("unit {}, which no package owns", unit.name);
                made.push_back(
                    {std::move(*rule),
                     {fmt::format("{} runs: {}", unit.path, command),
                      unit.package ? package_text(inventory, *unit.package)
                                   : std::string("made on this host: see whether it is meant to be there")}});
            }
        }
    }
    for (const auto& entry : inventory.cron) {
        if (auto rule = rule_of(inventory, entry.command)) {
            rule->id = as_id("cron " + entry.path.substr(entry.path.rfind('/') + 1));
            rule->user = entry.user;
            rule->because = fmt::format("cron entry in {}", entry.path);
            made.push_back(
                {std::move(*rule), {fmt::format("{} runs, as {}: {}", entry.path, entry.user, entry.command)}});
        }
    }
    const std::map<std::string, inventory::OwnedFile> files(inventory.files.begin(), inventory.files.end());
    for (const auto& [path, file] : files) {
        if (file.kind != inventory::FileKind::lua_script) {
            continue;
        }
        Proposal one;
        const auto& package = inventory.packages[file.package];
        one.rule.id = as_id(fmt::format("{} {}", package.name, path.substr(path.rfind('/') + 1)));
        one.rule.executable = interpreter_glob(file.program);
        one.rule.script = as_glob(path);
        one.rule.script_package = package.name;
        one.rule.because = fmt::format("package {} brings this script", package.name);
        one.why = {package_text(inventory, file.package), "any user may run it: name one if only one does"};
        if (file.state == inventory::DigestState::differs) {
            one.why.emplace_back("NOT AS PACKAGED when this was written: its runs are not expected until it is");
        }
        made.push_back(std::move(one));
    }
    number_equal_ids(made);
    return made;
}

void Learner::on_finding(const Finding& finding) {
    Key key;
    key.exe = finding.interpreter.exe.value_or("");
    key.user = finding.process.user  ? *finding.process.user
               : finding.process.uid ? fmt::to_string(*finding.process.uid)
                                     : "";
    const auto parent = std::find_if(finding.ancestors.begin(), finding.ancestors.end(),
                                     [&](const Ancestor& one) { return one.pid != finding.process.pid; });
    key.parent = parent == finding.ancestors.end() ? "" : parent->exe.value_or("");
    const bool embedded = finding.code.origin == Origin::embedded;
    const bool has_script = (finding.code.origin == Origin::script || embedded) && finding.code.path;
    const bool has_code = !has_script && (finding.code.origin == Origin::inline_code || embedded) &&
                          finding.code.inline_text && finding.code.inline_text->size() <= most_code;
    key.script = has_script ? *finding.code.path : fmt::format("({})", to_string(finding.code.origin));
    key.code = has_code ? *finding.code.inline_text : "";
    auto& seen = seen_[key];
    if (!finding.follows) {
        ++seen.runs;
    }
    seen.first_ms = std::min(seen.first_ms, finding.time_ms);
    seen.last_ms = std::max(seen.last_ms, finding.time_ms);
    seen.days.insert(finding.time_ms / day_ms);
    seen.package = finding.code.package ? finding.code.package : seen.package;
    seen.unit = finding.process.unit ? finding.process.unit : seen.unit;
    for (const auto& entry : finding.chain) {
        (row_of(entry.kind).is == ChainClass::follow_up ? seen.followed : seen.against)
            .insert(fmt::format("{} chained with it", to_string(entry.kind)));
    }
    if (!has_script && !has_code) {
        seen.against.insert("no file holds its code, so no expectation can name it");
    } else if (!base::is_utf8(key.script) || !base::is_utf8(key.code)) {
        seen.against.insert("it is not UTF-8, which a baseline's strings are");
    }
    if (key.exe.empty() || key.user.empty()) {
        seen.against.insert("the log does not say who ran it, or with what");
    }
}

std::vector<Proposal> Learner::proposals() const {
    std::vector<Proposal> made;
    for (const auto& [key, seen] : seen_) {
        if (!seen.against.empty()) {
            continue;
        }
        Proposal one;
        const auto& named = key.code.empty() ? key.script : key.exe;
        one.rule.id = as_id(fmt::format("{} {}", named.substr(named.rfind('/') + 1), key.user));
        one.rule.executable = as_glob(key.exe);
        one.rule.user = key.user;
        if (key.code.empty()) {
            one.rule.script = as_glob(key.script);
        } else {
            one.rule.code = as_glob(key.code);
        }
        if (!key.parent.empty()) {
            one.rule.parent = as_glob(key.parent);
        }
        one.rule.because = fmt::format("seen {} time{} on {} day{}", seen.runs, seen.runs == 1 ? "" : "s",
                                       seen.days.size(), seen.days.size() == 1 ? "" : "s");
        one.why = {fmt::format("from {} to {}", base::iso_time(seen.first_ms), base::iso_time(seen.last_ms)),
                   !key.code.empty() ? std::string("code on the command line: expected as it stands, and no other")
                   : seen.package    ? fmt::format("the script is of package {}", *seen.package)
                                     : std::string("no package is known to own the script")};
        for (const auto& one_more : seen.followed) {
            one.why.push_back(one_more);
        }
        if (seen.unit) {
            one.why.push_back(fmt::format("in unit {}", *seen.unit));
        }
        made.push_back(std::move(one));
    }
    number_equal_ids(made);
    return made;
}

std::vector<std::string> Learner::left_out() const {
    std::vector<std::string> lines;
    for (const auto& [key, seen] : seen_) {
        if (!seen.against.empty()) {
            lines.push_back(fmt::format("{} by {}: {} ({} run{}): {}", key.exe, key.user, key.script, seen.runs,
                                        seen.runs == 1 ? "" : "s", fmt::join(seen.against, "; ")));
        }
    }
    return lines;
}

std::string to_toml(const std::vector<Proposal>& proposals, const std::vector<std::string>& head) {
    std::string out;
    const auto comment = [&out](const std::string& line) { out += fmt::format("# {}\n", base::printable(line)); };
    std::for_each(head.begin(), head.end(), comment);
    out += "schema = 1\n";
    for (const auto& [rule, why] : proposals) {
        out += "\n";
        std::for_each(why.begin(), why.end(), comment);
        out += "[[expect]]\n";
        const auto key = [&out](const char* name, const std::optional<std::string>& value) {
            if (value) {
                out += fmt::format("{:<14} = {}\n", name, quoted(*value));
            }
        };
        key("id", rule.id);
        key("executable", rule.executable);
        key("user", rule.user);
        key("script", rule.script);
        key("script_package", rule.script_package);
        key("code", rule.code);
        key("parent", rule.parent);
        key("unit", rule.unit);
        key("because", rule.because);
    }
    return out;
}

std::string too_wide(const Rule& rule) {
    constexpr std::array<std::string_view, 8> open{"/tmp/",  "/var/tmp/", "/dev/shm/", "/run/shm/",
                                                   "/home/", "/**",       "**",        "/*"};
    const auto open_to_all = [&open](const std::optional<std::string>& glob) {
        return glob &&
               std::any_of(open.begin(), open.end(), [&](std::string_view start) { return glob->starts_with(start); });
    };
    if (open_to_all(rule.executable)) {
        return fmt::format("executable {} covers programs where anybody may write", *rule.executable);
    }
    if (!rule.script_package && open_to_all(rule.script)) {
        return fmt::format("script {} covers files where anybody may write", *rule.script);
    }
    if (rule.code && rule.code->find_first_not_of('*') == std::string::npos) {
        return "any code on the command line is expected";
    }
    if (!rule.script && !rule.script_package && !rule.code && !rule.unit) {
        return !rule.user ? "it names neither a user nor a script: any code that this program runs is expected"
                          : fmt::format("it names no script: any code that {} runs is expected", *rule.user);
    }
    return {};
}

} // namespace luatrail::detect
