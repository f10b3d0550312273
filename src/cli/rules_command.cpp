// luatrail rules: the audit rules for this host.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/rules/host_rules.hpp"
#include "luatrail/rules/this_host.hpp"

namespace luatrail::cli {

Command add_rules(CLI::App& app) {
    auto profile = std::make_shared<std::string>("full");
    app.add_option("--profile", *profile, "full: all execs, forks and exits; lean: interpreters and drops")
        ->check(CLI::IsMember({"full", "lean"}))
        ->type_name("PROFILE")
        ->capture_default_str();
    app.footer("Prints audit rules for the interpreters, directories and processor of this host, and changes nothing.\n"
               "luatrail-rules(7) says how to load them.\n"
               "Exit status: 0 printed, 2 something could not be written.");
    return [profile] {
        fmt::print("{}", rules::rules_file(*profile == "lean" ? rules::Profile::lean : rules::Profile::full,
                                           rules::this_host(detect::ProfileSet::builtin())));
        return std::fflush(stdout) == 0 ? base::exit_clean : base::exit_trouble;
    };
}

} // namespace luatrail::cli
