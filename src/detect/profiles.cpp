#include "luatrail/detect/profiles.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/embedded.hpp"
#include "detect/grammar_file.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/glob.hpp"
#include "luatrail/base/kernel_path.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/toml_reader.hpp"

namespace luatrail::detect {
namespace {

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
    {"service_manager", ProgramKind::service_manager},
    {"debugger", ProgramKind::debugger},
}};

Profile read_profile(const base::TomlTable& row, const Grammars& grammars) {
    row.allow_only({"name", "grammar", "exe", "argv0", "argv1", "embedded", "jit", "lua_init", "child_tells",
                    "command_tells", "writes_code", "loads", "startup", "own", "windowed", "unattended"});
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
    profile.writes_code = row.boolean("writes_code").value_or(false);
    profile.child_tells = row.boolean("child_tells").value_or(false);
    profile.command_tells = row.boolean("command_tells").value_or(false);
    profile.loads = row.texts("loads").value_or(std::vector<std::string>{});
    profile.startup = row.texts("startup").value_or(std::vector<std::string>{});
    profile.own = row.texts("own").value_or(std::vector<std::string>{});
    profile.windowed = row.texts("windowed").value_or(std::vector<std::string>{});
    profile.unattended = row.texts("unattended").value_or(std::vector<std::string>{});
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

Loader read_loader(const base::TomlTable& row) {
    row.allow_only({"exe", "values", "ends", "argv0_follows"});
    Loader loader;
    loader.exe = row.texts("exe").value_or(std::vector<std::string>{});
    if (loader.exe.empty()) {
        row.complain("exe", "at least one glob on the program's name is required");
    }
    loader.values = row.texts("values").value_or(std::vector<std::string>{});
    loader.ends = row.texts("ends").value_or(std::vector<std::string>{});
    loader.argv0_follows = row.boolean("argv0_follows").value_or(false);
    return loader;
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// Compared with the whole path, not with the base name.
bool is_whole(std::string_view glob) {
    return glob.find('/') != std::string_view::npos || glob.find("**") != std::string_view::npos;
}

constexpr std::size_t most_kept = 1024, longest_kept = 256; // of ProfileSet::Memory

bool any_matches(const std::vector<std::string>& globs, std::string_view path) {
    const auto name = base_name(path);
    return std::any_of(globs.begin(), globs.end(),
                       [&](const std::string& glob) { return base::glob_match(glob, is_whole(glob) ? path : name); });
}

bool is_pattern(std::string_view glob) {
    return glob.find_first_of("*?[\\/") != std::string::npos;
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
    file.allow_only({"schema", "grammar", "profile", "loader", "programs", "places"});
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
    auto loaders = loaders_;
    for (const auto& row : file.tables("loader")) {
        loaders.push_back(read_loader(row));
    }
    grammars_ = std::move(grammars);
    loaders_ = std::move(loaders);
    profiles_ = std::move(profiles);
    programs_ = std::move(programs);
    start_places_ = std::move(places);
    index();
}

void ProfileSet::index() {
    memory_ = {};
    by_name_.clear();
    by_pattern_.clear();
    for (std::size_t at = 0; at < profiles_.size(); ++at) {
        for (const auto& glob : profiles_[at].exe) {
            if (is_pattern(glob)) {
                by_pattern_.emplace_back(glob, at);
            } else {
                by_name_[glob].push_back(at);
            }
        }
    }
}

// In the order of the profiles, each once.
const std::vector<const Profile*>& ProfileSet::of_program(std::string_view program) const {
    if (const auto known = memory_.known.find(program); known != memory_.known.end()) {
        return known->second;
    }
    const auto name = base_name(program);
    std::vector<std::size_t> found;
    if (const auto named = by_name_.find(name); named != by_name_.end()) {
        found = named->second;
    }
    for (const auto& [glob, at] : by_pattern_) {
        const bool whole = is_whole(glob);
        const char first =
            whole || name.empty() || is_pattern(std::string_view(glob).substr(0, 1)) ? '\0' : glob.front();
        if ((first == '\0' || first == name.front()) && base::glob_match(glob, whole ? program : name)) {
            found.push_back(at);
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::vector<const Profile*> profiles;
    std::transform(found.begin(), found.end(), std::back_inserter(profiles),
                   [this](std::size_t at) { return &profiles_[at]; });
    if (program.size() > longest_kept) {
        return memory_.other = std::move(profiles);
    }
    if (memory_.known.size() >= most_kept) {
        memory_.known.clear();
    }
    return memory_.known.emplace(program, std::move(profiles)).first->second;
}

bool ProfileSet::may_match(std::string_view exe) const {
    return !of_program(program_path(exe)).empty();
}

bool ProfileSet::is(ProgramKind kind, std::string_view exe) const {
    const bool listed = any_matches(programs_[static_cast<std::size_t>(kind)], program_path(exe));
    return listed || (kind == ProgramKind::loader && loader(exe) != nullptr);
}

const Loader* ProfileSet::loader(std::string_view exe) const {
    const auto program = program_path(exe);
    const auto found = std::find_if(loaders_.rbegin(), loaders_.rend(),
                                    [&](const Loader& one) { return any_matches(one.exe, program); });
    return found == loaders_.rend() ? nullptr : &*found;
}

std::optional<ProgramKind> ProfileSet::kind_of(std::string_view exe) const {
    if (const auto known = memory_.kinds.find(exe); known != memory_.kinds.end()) {
        return known->second;
    }
    const auto* const found = std::find_if(std::begin(kind_names), std::end(kind_names),
                                           [&](const auto& one) { return is(one.second, exe); });
    const auto kind = found == std::end(kind_names) ? std::nullopt : std::optional(found->second);
    if (exe.size() <= longest_kept) {
        if (memory_.kinds.size() >= most_kept) {
            memory_.kinds.clear();
        }
        memory_.kinds.emplace(exe, kind);
    }
    return kind;
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
    case ProgramKind::debugger:
        return "debugger";
    case ProgramKind::service_manager:
        return "service-manager";
    }
    return "";
}

const Profile* ProfileSet::named(std::string_view name) const {
    const auto found =
        std::find_if(profiles_.begin(), profiles_.end(), [name](const Profile& one) { return one.name == name; });
    return found == profiles_.end() ? nullptr : &*found;
}

const Profile* ProfileSet::telling(std::string_view exe) const {
    for (const auto* profile : of_program(program_path(exe))) {
        if (profile->child_tells || profile->command_tells) {
            return profile;
        }
    }
    return nullptr;
}

bool ProfileSet::is_start_place(std::string_view path) const {
    return std::any_of(start_places_.begin(), start_places_.end(),
                       [path](const std::string& glob) { return base::glob_match(glob, path); });
}

// Those that ask for more come first.
ProfileSet::Match ProfileSet::match(std::string_view exe, std::string_view argv0, std::string_view argv1) const {
    const Profile* by_path = nullptr;
    for (const auto* profile : of_program(program_path(exe))) {
        const bool by_words = !profile->argv0.empty() || !profile->argv1.empty();
        const bool words_fit = (profile->argv0.empty() || any_matches(profile->argv0, argv0)) &&
                               (profile->argv1.empty() || any_matches(profile->argv1, argv1));
        if (by_words && words_fit) {
            return {profile, IdentifiedBy::argv0};
        }
        by_path = by_words || by_path != nullptr ? by_path : profile;
    }
    return {by_path, IdentifiedBy::path};
}

} // namespace luatrail::detect
