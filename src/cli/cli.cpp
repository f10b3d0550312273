// The command line: commands, their common checks, and the one place where start-up errors are caught.
#include "luatrail/cli/cli.hpp"

#include <algorithm>
#include <iostream>
#include <map>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/toml_reader.hpp"

namespace luatrail::cli {
namespace {

constexpr auto description =
    "Reads the Linux audit trail and reports Lua that runs where it should not (MITRE ATT&CK AN0279,\n"
    "T1059.011): live as an auditd plugin, or in saved logs.";
constexpr auto footer =
    "Exit status of replay: 0 no finding, 1 at least one, 2 wrong usage or something could not be read.\n"
    "`luatrail COMMAND --help` shows a command's options and exit status.";

// The command that the line reached, and how it is called.
const CLI::App& reached(const CLI::App& app, std::string& line) {
    const CLI::App* at = &app;
    line = app.get_name();
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
        line += " " + at->get_name();
    }
    return *at;
}

std::vector<std::string> option_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const auto* option : command.get_options()) {
        for (const auto& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(sub->get_name());
    }
    return names;
}

std::string suggestion(std::string_view wrong, const std::vector<std::string>& valid) {
    return base::suggestion(wrong, {valid.begin(), valid.end()});
}

// What of the line nothing was made of, its first word only: the others may be that word's arguments.
std::string unknown_argument(const CLI::App& app, const CLI::App& command, int argc, char** argv) {
    const auto left = app.remaining(true);
    const auto* const found = std::find_if(
        argv + 1, argv + argc, [&](const char* word) { return std::count(left.begin(), left.end(), word); });
    const std::string word = found == argv + argc ? "" : *found;
    const auto shown = base::shell_quoted(word.substr(0, word.find('=')));
    if (word.starts_with("-")) {
        return fmt::format("unknown option {}: {}", shown,
                           suggestion(word.substr(0, word.find('=')), option_names(command)));
    }
    if (const auto commands = command_names(command); !commands.empty()) {
        return fmt::format("unknown command {}: {}", shown, suggestion(word, commands));
    }
    return fmt::format("unexpected argument {}", shown);
}

// CLI11 says what is wrong; one line in the program's own form, and where to look.
int usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
    std::string line;
    const auto& command = reached(app, line);
    // A misspelt word is also why something else seems to be missing.
    const bool unknown = !app.remaining(true).empty() && (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
                                                          dynamic_cast<const CLI::RequiredError*>(&error) != nullptr);
    base::say(
        fmt::format("{}; see `{} --help`", unknown ? unknown_argument(app, command, argc, argv) : error.what(), line));
    return base::exit_trouble;
}

int parse_and_run(CLI::App& app, const std::map<CLI::App*, Command>& commands, int argc, char** argv) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << app.help(); // of the command that the line reached
        return std::cout.flush() ? base::exit_clean : base::exit_trouble;
    } catch (const CLI::CallForVersion& version) {
        std::cout << version.what() << '\n';
        return std::cout.flush() ? base::exit_clean : base::exit_trouble;
    } catch (const CLI::ParseError& error) {
        return usage_error(app, error, argc, argv);
    }
    for (const auto& [sub, command] : commands) {
        if (sub->parsed()) {
            return command();
        }
    }
    std::cout << app.help();
    return base::exit_trouble;
}

} // namespace

int run(int argc, char** argv) {
    base::secure_standard_streams();
    try {
        CLI::App app{description, "luatrail"};
        app.set_version_flag("-V,--version", "luatrail " LUATRAIL_VERSION);
        app.footer(footer);
        app.require_subcommand(0, 1);
        std::map<CLI::App*, Command> commands;
        const auto add = [&](const char* name, const char* what, Command (*adder)(CLI::App&)) {
            auto* sub = app.add_subcommand(name, what);
            sub->set_version_flag("-V,--version", "luatrail " LUATRAIL_VERSION);
            commands.emplace(sub, adder(*sub));
        };
        add("replay", "Findings from saved logs: files, directories, archives, '-' for standard input", add_replay);
        add("plugin", "auditd plugin: records on standard input, findings to syslog", add_plugin);
        add("events", "The assembled events themselves, one JSON object a line", add_events);
        add("inventory", "Which package owns what, which packages need Lua, who runs what", add_inventory);
        add("baseline", "What is expected: proposed, checked, explained", add_baseline);
        add("rules", "The audit rules for this host, to standard output", add_rules);
        add("doctor", "What this host's telemetry, or a rules file, can and cannot show", add_doctor);
        add("status", "Counters of the running plugin", add_status);
        add("config", "The configuration", add_config);
        add("completion", "What a shell needs to complete this command line", add_completion);
        return parse_and_run(app, commands, argc, argv);
    } catch (const base::Error& error) {
        base::say(error.what());
    } catch (const std::bad_alloc&) {
        base::say("out of memory; lower engine.memory, or give the process more");
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::broken_pipe) { // else its reader has seen enough, as head(1)
            base::say(error.what());
        }
    } catch (const std::exception& error) {
        base::say(fmt::format("unexpected error: {}; please report it", error.what()));
    }
    return base::exit_trouble;
}

} // namespace luatrail::cli
