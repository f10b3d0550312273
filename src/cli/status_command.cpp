// luatrail status: the running plugin's counters.
#include <cerrno>
#include <csignal>
#include <cstring>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "luatrail/base/clock.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/file.hpp"
#include "luatrail/plugin/status_page.hpp"
#include "luatrail/plugin/status_prometheus.hpp"
#include "luatrail/setup/config.hpp"

namespace luatrail::cli {
namespace {

struct StatusOptions {
    std::string config = default_config_path, file, format = "text";
};

std::string file_of(const CLI::App& app, const StatusOptions& options) {
    if (!options.file.empty()) {
        return options.file;
    }
    const bool given = app.count("--config") > 0;
    return given || ::access(options.config.c_str(), F_OK) == 0 ? setup::load_config(options.config).status.file
                                                                : setup::Config{}.status.file;
}

std::string content_of(const std::string& path) {
    constexpr std::size_t most_bytes = 1024UL * 1024;
    auto content = base::read_file(path, most_bytes);
    if (!content || content->empty()) {
        throw base::Error(fmt::format("{}: {}; has the plugin run since the host was started? see `luatrail doctor`",
                                      path, content ? "nothing is in it" : std::strerror(errno)));
    }
    return std::move(*content);
}

// Why it does not run; empty when it does.
std::string trouble_of(const plugin::StatusWriter& writer) {
    if (writer.ended) {
        return "the plugin has ended; auditd starts it";
    }
    const bool there = ::kill(static_cast<pid_t>(writer.pid), 0) == 0 || errno == EPERM;
    if (!there) {
        return fmt::format("the plugin (pid {}) does not run any more, and did not end by itself", writer.pid);
    }
    return writer.late ? fmt::format("the plugin (pid {}) has not written its status when it should have", writer.pid)
                       : std::string();
}

int status(const CLI::App& app, const StatusOptions& options) {
    const auto path = file_of(app, options);
    errno = 0;
    const auto content = content_of(path);
    const auto now = base::wall_clock_ms();
    try {
        const auto trouble = trouble_of(plugin::status_writer(content, now));
        fmt::print("{}", options.format == "json"         ? content
                         : options.format == "prometheus" ? plugin::status_prometheus(content)
                                                          : plugin::status_text(content, now));
        if (std::fflush(stdout) != 0) {
            return base::exit_trouble;
        }
        if (!trouble.empty()) {
            base::say(trouble);
        }
        return trouble.empty() ? base::exit_clean : base::exit_finding;
    } catch (const base::Error& error) {
        throw base::Error(fmt::format("{}: {}", path, error.what()));
    }
}

} // namespace

Command add_status(CLI::App& app) {
    auto options = std::make_shared<StatusOptions>();
    app.add_option("-c,--config", options->config, "The plugin's configuration, for status.file")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_option("--file", options->file, "The status file itself")->type_name("FILE");
    app.add_option("--format", options->format,
                   "text for a person, json for the file as it is, prometheus for a textfile")
        ->check(CLI::IsMember({"text", "json", "prometheus"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    app.footer("All counters start at zero with the plugin, which writes them every few seconds (status.every).\n"
               "Exit status: 0 the plugin runs, 1 it does not (its last counters are shown), 2 there are no counters.");
    return [&app, options] { return status(app, *options); };
}

} // namespace luatrail::cli
