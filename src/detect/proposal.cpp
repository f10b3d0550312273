#include "luatrail/detect/proposal.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "luatrail/base/text.hpp"
#include "luatrail/base/words.hpp"
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

std::vector<std::string> as_globs(const std::vector<std::string>& all) {
    std::vector<std::string> globs;
    std::transform(all.begin(), all.end(), std::back_inserter(globs), [](const auto& one) { return as_glob(one); });
    return globs;
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

// An expectation of a command line; nothing when it runs no Lua, or none that a file holds.
std::optional<Rule> rule_of(const inventory::Inventory& inventory, std::string_view command) {
    static const auto profiles = ProfileSet::builtin();
    const auto parts = base::words(command);
    const std::vector<std::string> words(parts.begin(), parts.end());
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
    if (invocation.inline_text) {
        rule.code = as_glob(*invocation.inline_text);
    }
    rule.modules = as_globs(invocation.modules);
    rule.interactive = invocation.reads_stdin;
    return rule;
}

std::optional<inventory::Package> package_at(const inventory::Inventory& inventory, std::optional<std::uint32_t> at) {
    return at ? std::optional(inventory.packages[*at]) : std::nullopt;
}

void propose_units(const inventory::Inventory& inventory, std::vector<Proposal>& made) {
    for (const auto& unit : inventory.units) {
        for (const auto& command : unit.commands) {
            if (auto rule = rule_of(inventory, command)) {
                rule->id = as_id(unit.name);
                rule->user = unit.user.value_or("root");
                if (rule->user->find('%') != std::string::npos) { // systemd.unit(5): known when it is started
                    rule->user.reset();
                }
                rule->unit = unit.name;
                made.push_back(
                    {std::move(*rule), UnitStart{unit.name, unit.path, command, package_at(inventory, unit.package)}});
            }
        }
    }
}

// Whom units and cron entries run each script as. A unit whose user is not known makes it nobody's.
std::map<std::string, std::set<std::string>> users_of_scripts(const std::vector<Proposal>& started) {
    std::map<std::string, std::set<std::string>> users;
    for (const auto& one : started) {
        if (one.rule.script && one.rule.user) {
            users[*one.rule.script].insert(*one.rule.user);
        }
    }
    return users;
}

// `made` holds what units and cron entries start.
void propose_scripts(const inventory::Inventory& inventory, std::vector<Proposal>& made) {
    const auto users = users_of_scripts(made);
    const std::map<std::string, inventory::OwnedFile> files(inventory.files.begin(), inventory.files.end());
    for (const auto& [path, file] : files) {
        if (file.kind != inventory::FileKind::lua_script) {
            continue;
        }
        const auto& package = inventory.packages[file.package];
        Rule rule;
        rule.id = as_id(fmt::format("{} {}", package.name, path.substr(path.rfind('/') + 1)));
        rule.executable = interpreter_glob(file.program);
        rule.script = as_glob(path);
        rule.script_package = package.name;
        const PackagedScript basis{package, file.state == inventory::DigestState::differs};
        const auto known = users.find(*rule.script);
        if (known == users.end()) {
            made.push_back({std::move(rule), basis});
            continue;
        }
        for (const auto& user : known->second) {
            rule.user = user;
            made.push_back({rule, basis});
        }
    }
}

// The directory of that name above a file: "/usr/share/nmap" of /usr/share/nmap/nselib/http.lua. Not of a file that
// everybody's programs find.
std::string_view directory_named(std::string_view path, std::string_view name) {
    for (std::size_t at = path.find('/', 1); at != std::string_view::npos; at = path.find('/', at + 1)) {
        const auto start = path.rfind('/', at - 1) + 1;
        if (path.substr(start, at - start) == name) {
            return path.substr(0, at);
        }
    }
    return {};
}

// What somebody starts by hand as its package means it: `nmap --script ...` with nmap's own scripts.
void propose_programs(const inventory::Inventory& inventory, std::vector<Proposal>& made) {
    static const auto profiles = ProfileSet::builtin();
    std::map<std::string, std::set<std::string>> names;  // of each program: its own, and its profile's
    std::map<std::string, std::set<std::string>> lua_of; // the directories of a name where packages have Lua
    for (const auto& [path, file] : inventory.files) {
        const auto match = profiles.match(path, path);
        if (match.profile != nullptr && match.profile->embedded && match.profile->argv1.empty() &&
            !match.profile->child_tells && file.kind != inventory::FileKind::lua_module) {
            for (const auto& name : {std::string(base::basename(path)), match.profile->name}) {
                names[path].insert(name);
                lua_of.try_emplace(name);
            }
        }
    }
    for (const auto& [path, file] : inventory.files) {
        if (file.kind != inventory::FileKind::lua_module) {
            continue;
        }
        for (auto& [name, directories] : lua_of) {
            if (const auto directory = directory_named(path, name); !directory.empty()) {
                directories.emplace(directory);
            }
        }
    }
    for (const auto& [path, own] : names) {
        std::set<std::string> directories;
        for (const auto& name : own) {
            directories.insert(lua_of[name].begin(), lua_of[name].end());
        }
        for (const auto& directory : directories) {
            Rule rule;
            rule.id = as_id(fmt::format("{} {}", base::basename(path), directory));
            rule.executable = as_glob(path);
            rule.script = as_glob(directory) + "/**";
            made.push_back({std::move(rule), HostProgram{inventory.packages[inventory.files.at(path).package],
                                                         std::string(base::basename(path))}});
        }
    }
}

// Which file holds the code of a run.
bool has_script(const Finding& finding) {
    const auto& code = finding.code;
    return (code.origin == Origin::script || code.origin == Origin::embedded) && code.path;
}

// Code of a command line that an expectation may name.
bool has_code(const Finding& finding) {
    const auto& code = finding.code;
    return code.inline_text && !code.inline_text->empty() && code.inline_text->size() <= most_code;
}

} // namespace

std::vector<Proposal> propose(const inventory::Inventory& inventory) {
    std::vector<Proposal> made;
    propose_units(inventory, made);
    for (const auto& entry : inventory.cron) {
        if (auto rule = rule_of(inventory, entry.command)) {
            rule->id = as_id("cron " + entry.path.substr(entry.path.rfind('/') + 1));
            rule->user = entry.user;
            made.push_back({std::move(*rule), CronStart{entry.path, entry.user, entry.command}});
        }
    }
    propose_scripts(inventory, made);
    propose_programs(inventory, made);
    number_equal_ids(made);
    return made;
}

Learner::Key Learner::key_of(const Finding& finding) {
    Key key;
    key.exe = finding.interpreter.exe.value_or("");
    key.user = finding.process.user  ? *finding.process.user
               : finding.process.uid ? fmt::to_string(*finding.process.uid)
                                     : "";
    const auto parent = std::find_if(finding.ancestors.begin(), finding.ancestors.end(),
                                     [&](const Ancestor& one) { return one.pid != finding.process.pid; });
    key.parent = parent == finding.ancestors.end() ? "" : parent->exe.value_or("");
    key.script = has_script(finding) ? *finding.code.path : fmt::format("({})", to_string(finding.code.origin));
    key.code = has_code(finding) ? *finding.code.inline_text : "";
    key.modules = finding.code.modules;
    return key;
}

void Learner::on_finding(const Finding& finding) {
    const auto key = key_of(finding);
    auto& seen = seen_[key];
    auto& facts = seen.facts;
    if (!finding.follows) {
        ++facts.runs;
    }
    facts.first_ms = std::min(facts.first_ms, finding.time_ms);
    facts.last_ms = std::max(facts.last_ms, finding.time_ms);
    seen.days.insert(finding.time_ms / day_ms);
    facts.days = seen.days.size();
    facts.inline_code = !key.code.empty();
    facts.package = finding.code.package ? finding.code.package : facts.package;
    facts.unit = finding.process.unit ? finding.process.unit : facts.unit;
    for (const auto& entry : finding.chain) {
        (row_of(entry.kind).is == ChainClass::follow_up ? facts.followed : seen.chained).insert(entry.kind);
    }
    const auto& code = finding.code;
    if ((!has_script(finding) && !has_code(finding)) || code.reads_stdin) {
        seen.objections.insert(Objection::no_file);
    } else if (!base::is_utf8(key.script) || !base::is_utf8(key.code) ||
               !std::all_of(key.modules.begin(), key.modules.end(), base::is_utf8)) {
        seen.objections.insert(Objection::not_utf8);
    }
    if (code.inline_text && code.inline_text->size() > most_code) {
        seen.objections.insert(Objection::long_code);
    }
    if (!code.more_scripts.empty()) {
        seen.objections.insert(Objection::several);
    }
    if (key.exe.empty() || key.user.empty() || code.arguments_lost) {
        seen.objections.insert(Objection::nobody_known);
    }
}

std::vector<Proposal> Learner::proposals() const {
    std::vector<Proposal> made;
    for (const auto& [key, seen] : seen_) {
        if (!seen.chained.empty() || !seen.objections.empty()) {
            continue;
        }
        Rule rule;
        const bool file = !key.script.starts_with('('); // of a run without one its origin stands there
        const auto& named = file ? key.script : key.exe;
        rule.id = as_id(fmt::format("{} {}", named.substr(named.rfind('/') + 1), key.user));
        rule.executable = as_glob(key.exe);
        rule.user = key.user;
        if (file) {
            rule.script = as_glob(key.script);
        }
        if (!key.code.empty()) {
            rule.code = as_glob(key.code);
        }
        rule.modules = as_globs(key.modules);
        if (!key.parent.empty()) {
            rule.parent = as_glob(key.parent);
        }
        made.push_back({std::move(rule), seen.facts});
    }
    number_equal_ids(made);
    return made;
}

std::vector<LeftOut> Learner::left_out() const {
    std::vector<LeftOut> made;
    for (const auto& [key, seen] : seen_) {
        if (!seen.chained.empty() || !seen.objections.empty()) {
            made.push_back({key.exe, key.user, key.script, seen.facts.runs, seen.chained, seen.objections});
        }
    }
    return made;
}

std::optional<TooWide> too_wide(const Rule& rule) {
    constexpr std::array<std::string_view, 8> open{"/tmp/",  "/var/tmp/", "/dev/shm/", "/run/shm/",
                                                   "/home/", "/**",       "**",        "/*"};
    const auto open_to_all = [&open](const std::optional<std::string>& glob) {
        return glob &&
               std::any_of(open.begin(), open.end(), [&](std::string_view start) { return glob->starts_with(start); });
    };
    if (open_to_all(rule.executable)) {
        return TooWide::open_executable;
    }
    if (!rule.script_package && open_to_all(rule.script)) {
        return TooWide::open_script;
    }
    if (rule.code && rule.code->find_first_not_of('*') == std::string::npos) {
        return TooWide::any_code;
    }
    if (std::any_of(rule.modules.begin(), rule.modules.end(),
                    [](const std::string& glob) { return glob.find_first_not_of('*') == std::string::npos; })) {
        return TooWide::any_module;
    }
    if (rule.interactive) {
        return TooWide::any_input;
    }
    if (!rule.script && !rule.script_package && !rule.code && !rule.unit) {
        return rule.user ? TooWide::any_code_of_user : TooWide::any_run;
    }
    return std::nullopt;
}

} // namespace luatrail::detect
