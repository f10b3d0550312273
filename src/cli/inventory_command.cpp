// luatrail inventory: which package owns what, which packages need Lua, who runs what.
#include "cli/inventory_command.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "luatrail/base/atomic_file.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/inventory/build.hpp"
#include "luatrail/inventory/excerpt.hpp"

namespace luatrail::cli {
namespace {

using Json = nlohmann::ordered_json;
using inventory::Inventory;

std::string shown(std::string_view text) {
    return base::printable(text);
}

std::string_view profile_of(std::string_view path) {
    static const auto profiles = detect::ProfileSet::builtin();
    const auto match = profiles.match(path, path.substr(path.rfind('/') + 1));
    return match.profile == nullptr || match.profile->embedded ? std::string_view()
                                                               : std::string_view(match.profile->name);
}

// Beside the program, or where packages put it.
std::string rpm_helper() {
    for (const auto* path : {"/usr/libexec/luatrail/luatrail-rpm", "/usr/lib/luatrail/luatrail-rpm"}) {
        if (::access(path, X_OK) == 0) {
            return path;
        }
    }
    return {};
}

struct BuildArguments {
    std::string root = "/", output, rpm_helper;
    std::vector<std::string> packages;
};

int build(const BuildArguments& arguments) {
    auto made = build_inventory(arguments.root, arguments.rpm_helper);
    if (!arguments.packages.empty()) {
        made = inventory::excerpt(made, arguments.packages);
    }
    constexpr mode_t readable = 0644;
    if (const auto failed = base::write_atomically(arguments.output, {}, inventory::to_file(made), readable, false)) {
        throw base::Error(fmt::format("{}: {}; name a file in a directory that you may write", failed->path,
                                      std::strerror(failed->error)));
    }
    for (const auto& complaint : made.complaints) {
        base::say(shown(complaint));
    }
    const auto needing = std::count_if(made.packages.begin(), made.packages.end(),
                                       [](const auto& one) { return !one.depends_on_lua.empty(); });
    base::say(fmt::format("{}: {} packages of {}, {} interpreters, {} packages that need Lua", arguments.output,
                          made.packages.size(), fmt::join(made.databases, " and "), made.interpreters.size(), needing));
    return base::exit_clean;
}

std::string name_of(const Inventory& facts, std::optional<std::uint32_t> package) {
    return package ? facts.packages[*package].name : std::string("no package");
}

// Whether a command line runs something that needs Lua: an interpreter, a Lua script, a program of a package that needs
// Lua.
bool runs_lua(const Inventory& facts, std::string_view command) {
    const auto program = command.substr(0, command.find_first_of(" \t"));
    const auto owner = facts.owner(program);
    return owner &&
           (owner->file->kind != inventory::FileKind::executable || owner->package->depends_on_lua.size() == 1);
}

void show_text(const Inventory& facts) {
    fmt::print("{}, packages by {}: {}; read {}\n", facts.system.empty() ? "An unnamed system" : shown(facts.system),
               fmt::join(facts.databases, " and "), facts.packages.size(), base::iso_time(facts.built_ms));
    fmt::print("\nInterpreters\n");
    for (const auto& one : facts.interpreters) {
        const auto file = facts.files.find(one.path);
        const bool differs = file != facts.files.end() && file->second.state == inventory::DigestState::differs;
        fmt::print("  {}  {} {}, {}{}\n", shown(one.path), one.profile,
                   shown(one.version.value_or("of an unknown version")), shown(name_of(facts, one.package)),
                   differs ? "; NOT AS PACKAGED" : "");
    }
    fmt::print("\nPackages that need Lua\n");
    for (const auto& package : facts.packages) {
        if (!package.depends_on_lua.empty()) {
            fmt::print("  {} {}: by {}\n", shown(package.name), shown(package.version),
                       shown(fmt::format("{}", fmt::join(package.depends_on_lua, ", "))));
        }
    }
    fmt::print("\nServices and cron entries that run it\n");
    for (const auto& unit : facts.units) {
        for (const auto& command : unit.commands) {
            if (runs_lua(facts, command)) {
                fmt::print("  {} as {}: {} ({})\n", shown(unit.name), shown(unit.user.value_or("root")), shown(command),
                           shown(name_of(facts, unit.package)));
            }
        }
    }
    for (const auto& entry : facts.cron) {
        if (runs_lua(facts, entry.command)) {
            fmt::print("  {} as {}: {}\n", shown(entry.path), shown(entry.user), shown(entry.command));
        }
    }
    fmt::print("\nFiles that are not as their package says\n");
    for (const auto& [path, file] :
         std::map<std::string, inventory::OwnedFile>(facts.files.begin(), facts.files.end())) {
        if (file.state == inventory::DigestState::differs || file.state == inventory::DigestState::missing) {
            fmt::print("  {}  {}, {}\n", shown(path), to_string(file.state), shown(facts.packages[file.package].name));
        }
    }
    for (const auto& complaint : facts.complaints) {
        fmt::print("\nnot understood: {}\n", shown(complaint));
    }
}

Json package_value(const Inventory& facts, std::optional<std::uint32_t> package) {
    return package ? Json(base::to_utf8(facts.packages[*package].name)) : Json(nullptr);
}

void show_json(const Inventory& facts) {
    const auto text = [](std::string_view bytes) { return base::to_utf8(bytes); };
    Json out;
    out["schema"] = "luatrail/inventory/1";
    out["system"] = text(facts.system);
    out["databases"] = facts.databases;
    out["built"] = base::iso_time(facts.built_ms);
    out["packages"] = Json::array();
    for (const auto& one : facts.packages) {
        Json by = Json::array();
        for (const auto& name : one.depends_on_lua) {
            by.push_back(text(name));
        }
        out["packages"].push_back({{"name", text(one.name)},
                                   {"version", text(one.version)},
                                   {"architecture", text(one.architecture)},
                                   {"lua", one.is_lua},
                                   {"needs_lua_by", std::move(by)}});
    }
    out["interpreters"] = Json::array();
    for (const auto& one : facts.interpreters) {
        out["interpreters"].push_back({{"path", text(one.path)},
                                       {"profile", one.profile},
                                       {"version", one.version ? Json(text(*one.version)) : Json(nullptr)},
                                       {"sha256", one.sha256 ? Json(*one.sha256) : Json(nullptr)},
                                       {"size", one.size},
                                       {"package", package_value(facts, one.package)}});
    }
    out["files"] = Json::array();
    for (const auto& [path, file] :
         std::map<std::string, inventory::OwnedFile>(facts.files.begin(), facts.files.end())) {
        out["files"].push_back({{"path", text(path)},
                                {"package", package_value(facts, file.package)},
                                {"kind", to_string(file.kind)},
                                {"digest", to_string(file.state)},
                                {"diverted", file.diverted}});
    }
    out["units"] = Json::array();
    for (const auto& one : facts.units) {
        Json commands = Json::array();
        for (const auto& command : one.commands) {
            commands.push_back(text(command));
        }
        out["units"].push_back({{"name", text(one.name)},
                                {"path", text(one.path)},
                                {"user", one.user ? Json(text(*one.user)) : Json(nullptr)},
                                {"commands", std::move(commands)},
                                {"package", package_value(facts, one.package)}});
    }
    out["cron"] = Json::array();
    for (const auto& one : facts.cron) {
        out["cron"].push_back({{"path", text(one.path)}, {"user", text(one.user)}, {"command", text(one.command)}});
    }
    out["accounts"] = Json::array();
    for (const auto& one : facts.accounts) {
        out["accounts"].push_back(
            {{"name", text(one.name)}, {"uid", one.uid}, {"shell", text(one.shell)}, {"service", one.service}});
    }
    out["complaints"] = Json::array();
    for (const auto& complaint : facts.complaints) {
        out["complaints"].push_back(text(complaint));
    }
    fmt::print("{}\n", out.dump());
}

int owner(const Inventory& facts, const std::vector<std::string>& paths) {
    bool all = true;
    for (const auto& path : paths) {
        const auto owner = facts.owner(path);
        all = all && owner;
        if (!owner) {
            fmt::print("{}: owned by no package, or nothing that runs\n", shown(path));
            continue;
        }
        const auto how = owner->how == inventory::OwnedBy::path
                             ? std::string()
                             : fmt::format(", by {}: {}", to_string(owner->how), shown(owner->path));
        fmt::print("{}: {} {} ({}, digest {}{})\n", shown(path), shown(owner->package->name),
                   shown(owner->package->version), to_string(owner->file->kind), to_string(owner->file->state), how);
    }
    return std::fflush(stdout) != 0 ? base::exit_trouble : all ? base::exit_clean : base::exit_finding;
}

} // namespace

inventory::Inventory build_inventory(const std::string& root, const std::string& helper) {
    inventory::BuildOptions options;
    options.root = root;
    options.profile_of = &profile_of;
    options.rpm_helper = helper.empty() ? rpm_helper() : helper;
    return inventory::build(options);
}

Command add_inventory(CLI::App& app) {
    app.require_subcommand(1);
    auto file = std::make_shared<std::string>(setup::Config{}.detect.inventory);
    const auto with_file = [&file](CLI::App& command) {
        command.add_option("--inventory", *file, "The inventory")->type_name("FILE")->capture_default_str();
    };

    auto arguments = std::make_shared<BuildArguments>();
    arguments->output = *file;
    auto* build_app = app.add_subcommand("build", "Read a host's package databases into an inventory");
    build_app
        ->add_option("--root", arguments->root,
                     "A mounted image, or a copy of a host's root; nothing outside of it is read")
        ->type_name("DIR")
        ->capture_default_str();
    build_app->add_option("-o,--output", arguments->output, "Where to write it")
        ->type_name("FILE")
        ->capture_default_str();
    build_app
        ->add_option("--rpm-helper", arguments->rpm_helper,
                     "The program that lists an rpm database (default: as installed)")
        ->type_name("PROGRAM");
    build_app->add_option("--package", arguments->packages, "Keep only this package, and those of Lua (repeatable)")
        ->type_name("NAME")
        ->allow_extra_args(false);
    build_app->footer(
        "Reads the databases of dpkg, rpm, apk and pacman, unit files, cron tables and accounts. No program of that "
        "system is run.\n"
        "Exit status: 0 written (what could not be understood is named), 2 no database, or nothing could be written.");

    auto format = std::make_shared<std::string>("text");
    auto* show_app = app.add_subcommand("show", "Show what an inventory says about Lua");
    with_file(*show_app);
    show_app->add_option("--format", *format, "text: a summary for a person; json: everything")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    show_app->footer("Exit status: 0 shown, 2 the inventory could not be read.");

    auto paths = std::make_shared<std::vector<std::string>>();
    auto* owner_app = app.add_subcommand("owner", "Show which package owns a program, a script or a Lua module");
    with_file(*owner_app);
    owner_app->add_option("PATH", *paths, "Absolute paths, as the host names them")->required();
    owner_app->footer("Exit status: 0 every path has an owner, 1 one has none, 2 the inventory could not be read.");

    for (auto* command : {build_app, show_app, owner_app}) {
        command->set_version_flag("-V,--version", app.version());
    }
    return [=] {
        if (build_app->parsed()) {
            return build(*arguments);
        }
        const auto facts = inventory::load(*file);
        if (owner_app->parsed()) {
            return owner(facts, *paths);
        }
        (*format == "json" ? show_json : show_text)(facts);
        return std::fflush(stdout) == 0 ? base::exit_clean : base::exit_trouble;
    };
}

} // namespace luatrail::cli
