// luatrail config check: what is wrong with a configuration file, all of it.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/text.hpp"

namespace luatrail::cli {

Command add_config(CLI::App& app) {
    auto path = std::make_shared<std::string>(default_config_path);
    app.require_subcommand(1);
    auto* check = app.add_subcommand("check", "Report every error of a configuration with its place and remedy");
    check->add_option("FILE", *path, "The configuration")->type_name("FILE")->capture_default_str();
    check->set_version_flag("-V,--version", app.version());
    check->footer("Exit status: 0 no errors, 2 errors, or the file could not be read.");
    return [path] {
        const auto errors = setup::check_config(*path);
        for (const auto& error : errors) {
            base::say(error);
        }
        if (errors.empty()) {
            fmt::print("{}: no errors\n", base::printable(*path));
        }
        return errors.empty() ? base::exit_clean : base::exit_trouble;
    };
}

} // namespace luatrail::cli
