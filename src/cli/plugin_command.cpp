// luatrail plugin: the command line of the auditd plugin.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "luatrail/plugin/plugin.hpp"

namespace luatrail::cli {

Command add_plugin(CLI::App& app) {
    auto path = std::make_shared<std::string>(default_config_path);
    app.add_option("-c,--config", *path, "The configuration, as one word for auditd: --config=FILE")
        ->type_name("FILE")
        ->capture_default_str();
    app.footer(
        "Reads audit records from standard input until its end or SIGTERM, sends what it holds to syslog and ends.\n"
        "SIGHUP reloads configuration, profiles and baselines; a wrong configuration is reported and changes nothing.\n"
        "Exit status: 0 ended as asked, 2 it could not start or go on.");
    return [&app, path] { return plugin::run_plugin(*path, app.count("--config") > 0); };
}

} // namespace luatrail::cli
