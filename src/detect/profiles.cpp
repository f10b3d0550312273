#include "luatrail/detect/profiles.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/embedded.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/glob.hpp"
#include "luatrail/base/kernel_path.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/toml_reader.hpp"

namespace luatrail::detect {
namespace {

using Grammars = std::map<std::string, Grammar, std::less<>>;

constexpr std::array<std::pair<std::string_view, OptionRole>, 10> role_names{{
    {"flag", OptionRole::flag},
    {"inline", OptionRole::inline_code},
    {"module", OptionRole::module},
    {"interactive", OptionRole::interactive},
    {"version", OptionRole::version},
    {"exit", OptionRole::exit},
    {"script", OptionRole::script},
    {"value", OptionRole::value},
    {"compile", OptionRole::compile},
    {"lua-mode", OptionRole::lua_mode},
}};

OptionRole read_role(const base::TomlTable& row) {
    const std::string name = row.required_text("role");
    std::vector<std::string_view> valid;
    for (const auto& [known, role] : role_names) {
        if (known == name) {
            return role;
        }
        valid.push_back(known);
    }
    row.complain("role", fmt::format("unknown role `{}`; {}", name, base::suggestion(name, valid)));
    return OptionRole::flag;
}

constexpr std::array<std::pair<std::string_view, ProgramKind>, program_kinds> kind_names{{
    {"shell", ProgramKind::shell},
    {"archiver", ProgramKind::archiver},
    {"package_manager", ProgramKind::package_manager},
    {"loader", ProgramKind::loader},
    {"downloader", ProgramKind::downloader},
    {"copier", ProgramKind::copier},
    {"editor", ProgramKind::editor},
    {"web_server", ProgramKind::web_server},
    {"mail", ProgramKind::mail},
    {"database", ProgramKind::database},
    {"container_runtime", ProgramKind::container_runtime},
    {"remote_login", ProgramKind::remote_login},
    {"scheduler", ProgramKind::scheduler},
}};

OptionRule read_option(const base::TomlTable& row) {
    row.allow_only({"option", "role", "glued", "optional_value", "first", "last", "only_if", "prefix", "separators"});
    OptionRule rule;
    rule.spelling = row.required_text("option");
    if (rule.spelling.empty() || rule.spelling == "-" || rule.spelling == "--") {
        row.complain("option", "an option is a dash or a plus and a name (\"-e\", \"--luaonly\"), or a word");
    }
    rule.only_if = row.texts("only_if").value_or(std::vector<std::string>{});
    rule.prefix = row.text("prefix").value_or("");
    rule.separators = row.text("separators").value_or("");
    rule.role = read_role(row);
    rule.glued = row.boolean("glued").value_or(false);
    rule.optional_value = row.boolean("optional_value").value_or(false);
    rule.first = row.boolean("first").value_or(false);
    rule.last = row.boolean("last").value_or(false);
    return rule;
}

// `grammar` comes in with what it extends, or with the defaults.
void read_grammar(const base::TomlTable& table, Grammar& grammar) {
    table.allow_only({"extends", "options", "dash_is_stdin", "stops_at_script", "bare_reads_stdin",
                      "requires_script_option", "long_options", "ignores_unknown", "script_suffixes", "inline_words"});
    const auto set = [&table](std::string_view key, bool& target) { target = table.boolean(key).value_or(target); };
    set("dash_is_stdin", grammar.dash_is_stdin);
    set("stops_at_script", grammar.stops_at_script);
    set("bare_reads_stdin", grammar.bare_reads_stdin);
    set("requires_script_option", grammar.requires_script_option);
    set("long_options", grammar.long_options);
    set("ignores_unknown", grammar.ignores_unknown);
    grammar.script_suffixes = table.texts("script_suffixes").value_or(grammar.script_suffixes);
    grammar.inline_words = table.texts("inline_words").value_or(grammar.inline_words);
    std::vector<OptionRule> own;
    for (const auto& row : table.tables("options")) {
        own.push_back(read_option(row));
    }
    std::erase_if(grammar.options, [&own](const OptionRule& inherited) {
        return std::any_of(own.begin(), own.end(),
                           [&](const OptionRule& rule) { return rule.spelling == inherited.spelling; });
    });
    std::move(own.begin(), own.end(), std::back_inserter(grammar.options));
}

// In rounds, because a table's members come in the order of their names: each round reads those whose base is known.
void read_grammars(const base::TomlTable& all, Grammars& grammars) {
    auto waiting = all.named_tables();
    const auto is_waiting = [&waiting](std::string_view name) {
        return std::any_of(waiting.begin(), waiting.end(), [name](const auto& entry) { return entry.first == name; });
    };
    while (!waiting.empty()) {
        const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const auto& entry) {
            const auto base = entry.second.text("extends");
            return !base || (!is_waiting(*base) && grammars.contains(*base));
        });
        if (ready == waiting.end()) {
            const auto& stuck = waiting.front().second;
            stuck.complain("extends", fmt::format("no grammar `{}`, or one that extends this one again",
                                                  stuck.text("extends").value_or("")));
            return;
        }
        Grammar grammar;
        if (const auto base = ready->second.text("extends")) {
            grammar = grammars.find(*base)->second;
        }
        read_grammar(ready->second, grammar);
        grammars.insert_or_assign(ready->first, std::move(grammar));
        waiting.erase(ready);
    }
}

Profile read_profile(const base::TomlTable& row, const Grammars& grammars) {
    row.allow_only(
        {"name", "grammar", "exe", "argv0", "argv1", "embedded", "jit", "lua_init", "child_tells", "loads", "startup"});
    Profile profile;
    profile.name = row.required_text("name");
    if (profile.name.empty()) {
        row.complain("name", "a profile has a name that findings can show");
    }
    profile.exe = row.texts("exe").value_or(std::vector<std::string>{});
    if (profile.exe.empty()) {
        row.complain("exe", "at least one glob on the program's name is required");
    }
    profile.argv0 = row.texts("argv0").value_or(std::vector<std::string>{});
    profile.argv1 = row.texts("argv1").value_or(std::vector<std::string>{});
    profile.embedded = row.boolean("embedded").value_or(false);
    profile.lua_init = row.boolean("lua_init").value_or(false);
    profile.jit = row.boolean("jit").value_or(false);
    profile.child_tells = row.boolean("child_tells").value_or(false);
    profile.loads = row.texts("loads").value_or(std::vector<std::string>{});
    profile.startup = row.texts("startup").value_or(std::vector<std::string>{});
    const std::string wanted = row.required_text("grammar");
    if (const auto found = grammars.find(wanted); found != grammars.end()) {
        profile.grammar = found->second;
        return profile;
    }
    std::vector<std::string_view> valid;
    for (const auto& [name, grammar] : grammars) {
        valid.push_back(name);
    }
    row.complain("grammar", fmt::format("unknown grammar `{}`; {}", wanted, base::suggestion(wanted, valid)));
    return profile;
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool any_matches(const std::vector<std::string>& globs, std::string_view path) {
    const auto name = base_name(path);
    return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
        const bool whole = glob.find('/') != std::string::npos || glob.find("**") != std::string::npos;
        return base::glob_match(glob, whole ? path : name);
    });
}

} // namespace

std::string_view program_path(std::string_view exe) {
    constexpr std::string_view prelink = ".#prelink#.";
    constexpr std::size_t rpm_digits = 8, prelink_letters = 6;
    exe = base::without_deleted(exe);
    if (const auto at = exe.rfind(prelink);
        at != std::string_view::npos && exe.size() - at == prelink.size() + prelink_letters) {
        exe = exe.substr(0, at);
    }
    if (const auto at = exe.rfind(';');
        at != std::string_view::npos && exe.size() - at == 1 + rpm_digits && is_hex(exe.substr(at + 1))) {
        exe = exe.substr(0, at);
    }
    return exe;
}

ProfileSet ProfileSet::builtin() {
    ProfileSet set;
    set.load_text(embedded::interpreters_toml, "built-in interpreters.toml");
    return set;
}

void ProfileSet::load(const std::string& path) {
    read(base::TomlTable::from_file(path));
}

void ProfileSet::load_text(std::string_view toml, std::string_view source_name) {
    read(base::TomlTable::from_text(toml, source_name));
}

void ProfileSet::read(const base::TomlTable& file) {
    file.allow_only({"schema", "grammar", "profile", "programs", "places"});
    if (file.integer("schema") != 1) {
        file.complain("schema", "schema = 1 is required");
    }
    auto grammars = grammars_; // a file with an error changes nothing
    auto profiles = profiles_;
    if (const auto all = file.table("grammar")) {
        read_grammars(*all, grammars);
    }
    auto programs = programs_;
    if (const auto kinds = file.table("programs")) {
        std::array<std::string_view, program_kinds> names;
        std::transform(kind_names.begin(), kind_names.end(), names.begin(),
                       [](const auto& named) { return named.first; });
        kinds->allow_only(names);
        for (const auto& [key, kind] : kind_names) {
            if (auto globs = kinds->texts(key)) {
                programs[static_cast<std::size_t>(kind)] = std::move(*globs);
            }
        }
    }
    auto places = start_places_;
    if (const auto table = file.table("places")) {
        table->allow_only({"start"});
        places = table->texts("start").value_or(places);
    }
    for (const auto& row : file.tables("profile")) {
        auto profile = read_profile(row, grammars);
        const auto same = std::find_if(profiles.begin(), profiles.end(),
                                       [&profile](const Profile& other) { return other.name == profile.name; });
        if (same != profiles.end()) {
            *same = std::move(profile);
        } else {
            profiles.push_back(std::move(profile));
        }
    }
    grammars_ = std::move(grammars);
    profiles_ = std::move(profiles);
    programs_ = std::move(programs);
    start_places_ = std::move(places);
}

bool ProfileSet::may_match(std::string_view exe) const {
    const auto program = program_path(exe);
    return std::any_of(profiles_.begin(), profiles_.end(),
                       [&](const Profile& profile) { return any_matches(profile.exe, program); });
}

bool ProfileSet::is(ProgramKind kind, std::string_view exe) const {
    return any_matches(programs_[static_cast<std::size_t>(kind)], program_path(exe));
}

std::optional<ProgramKind> ProfileSet::kind_of(std::string_view exe) const {
    for (const auto& [name, kind] : kind_names) {
        if (is(kind, exe)) {
            return kind;
        }
    }
    return std::nullopt;
}

std::string_view to_string(ProgramKind kind) {
    switch (kind) { // as a reader says it
    case ProgramKind::shell:
        return "shell";
    case ProgramKind::archiver:
        return "archiver";
    case ProgramKind::package_manager:
        return "package-manager";
    case ProgramKind::loader:
        return "loader";
    case ProgramKind::downloader:
        return "downloader";
    case ProgramKind::copier:
        return "copier";
    case ProgramKind::editor:
        return "editor";
    case ProgramKind::web_server:
        return "web-server";
    case ProgramKind::mail:
        return "mail";
    case ProgramKind::database:
        return "database";
    case ProgramKind::container_runtime:
        return "container-runtime";
    case ProgramKind::remote_login:
        return "remote-login";
    case ProgramKind::scheduler:
        return "scheduler";
    }
    return "";
}

const Profile* ProfileSet::named(std::string_view name) const {
    const auto found =
        std::find_if(profiles_.begin(), profiles_.end(), [name](const Profile& one) { return one.name == name; });
    return found == profiles_.end() ? nullptr : &*found;
}

const Profile* ProfileSet::telling(std::string_view exe) const {
    const auto program = program_path(exe);
    const auto found = std::find_if(profiles_.begin(), profiles_.end(), [&](const Profile& profile) {
        return profile.child_tells && any_matches(profile.exe, program);
    });
    return found == profiles_.end() ? nullptr : &*found;
}

bool ProfileSet::is_start_place(std::string_view path) const {
    return std::any_of(start_places_.begin(), start_places_.end(),
                       [path](const std::string& glob) { return base::glob_match(glob, path); });
}

// Those that ask for more come first.
ProfileSet::Match ProfileSet::match(std::string_view exe, std::string_view argv0, std::string_view argv1) const {
    const auto program = program_path(exe);
    const Profile* by_path = nullptr;
    for (const auto& profile : profiles_) {
        const bool by_words = !profile.argv0.empty() || !profile.argv1.empty();
        const bool wanted = by_words ? (profile.argv0.empty() || any_matches(profile.argv0, argv0)) &&
                                           (profile.argv1.empty() || any_matches(profile.argv1, argv1))
                                     : by_path == nullptr;
        if (!wanted || !any_matches(profile.exe, program)) {
            continue;
        }
        if (by_words) {
            return {&profile, IdentifiedBy::argv0};
        }
        by_path = &profile;
    }
    return {by_path, IdentifiedBy::path};
}

} // namespace luatrail::detect
