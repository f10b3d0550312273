#include "luatrail/rules/host_checks.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/file.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::rules {
namespace {

constexpr std::uint32_t least_backlog = 8192;
constexpr std::uint32_t least_queue = 2000; // auditd.conf(5)'s default
constexpr std::uint32_t least_restarts = 3;

using Settings = std::map<std::string, std::string>; // by lower-case key

// "key = value", '#' begins a comment line (auditd.conf(5)).
std::optional<Settings> read_settings(const std::string& path) {
    constexpr std::size_t most_bytes = 1024UL * 1024;
    const auto text = base::read_file(path, most_bytes);
    if (!text) {
        return std::nullopt;
    }
    Settings settings;
    for (const auto line : base::lines(*text)) {
        const auto at = line.find('=');
        const auto key = base::lower(base::trimmed(line.substr(0, at)));
        if (at != std::string::npos && !key.starts_with("#")) {
            settings[key] = base::trimmed(line.substr(at + 1));
        }
    }
    return settings;
}

std::string value_of(const Settings& settings, const std::string& key, std::string_view otherwise) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string(otherwise) : found->second;
}

std::optional<std::uint32_t> number_of(const Settings& settings, const std::string& key) {
    const auto text = value_of(settings, key, "");
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

Check backlog_check(std::uint32_t limit) {
    if (limit >= least_backlog) {
        return {"kernel/backlog-limit", Health::good, fmt::format("up to {} records wait for auditd", limit), ""};
    }
    return {"kernel/backlog-limit", Health::warning,
            fmt::format("only {} records may wait for auditd: a burst of a few hundred events loses some", limit),
            "auditctl -b 65536, and -b 65536 in a file of /etc/audit/rules.d"};
}

std::optional<Check> rate_check(std::uint32_t limit) {
    if (limit == 0) {
        return std::nullopt;
    }
    return Check{"kernel/rate-limit", Health::warning,
                 fmt::format("more than {} records a second are thrown away: an attacker can hide in a flood", limit),
                 "auditctl -r 0"};
}

std::optional<Check> lock_check(std::uint32_t enabled) {
    if (enabled != 2) {
        return std::nullopt;
    }
    return Check{"kernel/locked", Health::warning, "the rules are locked (-e 2): none can be added or taken out",
                 "change the files in /etc/audit/rules.d and boot"};
}

void add(std::vector<Check>& checks, std::optional<Check> check) {
    if (check) {
        checks.push_back(std::move(*check));
    }
}

std::vector<Check> plugin_checks(const std::string& path) {
    const auto settings = read_settings(path);
    if (!settings) {
        return {{"plugin/installed", Health::fault, fmt::format("{}: not there: auditd does not start luatrail", path),
                 "install the package, or copy config/plugins.d/luatrail.conf there"}};
    }
    std::vector<Check> checks;
    if (value_of(*settings, "active", "no") != "yes") {
        checks.push_back({"plugin/active", Health::fault, fmt::format("{}: active is not yes", path),
                          "set active = yes and have auditd read it again: pkill -HUP auditd"});
    } else {
        checks.push_back({"plugin/active", Health::good, "auditd starts luatrail", ""});
    }
    const auto program = value_of(*settings, "path", "");
    struct stat status {};
    if (::stat(program.c_str(), &status) != 0 || ::access(program.c_str(), X_OK) != 0) {
        checks.push_back({"plugin/path", Health::fault, fmt::format("{}: path = {} is no program", path, program),
                          "name the installed luatrail"});
    } else if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        checks.push_back({"plugin/path", Health::fault,
                          fmt::format("{}: others than root may replace it, and auditd refuses to start it", program),
                          fmt::format("chown root {0} && chmod go-w {0}", program)});
    }
    if (const auto format = value_of(*settings, "format", "string"); format != "string") {
        checks.push_back({"plugin/format", Health::fault, fmt::format("{}: format = {}", path, format),
                          "luatrail reads format = string"});
    }
    const auto arguments = value_of(*settings, "args", "");
    if (const auto at = arguments.find("--config="); at != std::string::npos) {
        const auto config = arguments.substr(at + 9, arguments.find(' ', at) - (at + 9));
        if (::access(config.c_str(), R_OK) != 0) {
            checks.push_back({"plugin/config", Health::fault,
                              fmt::format("{}: the configuration {} is not there", path, config), "correct args"});
        }
    }
    return checks;
}

} // namespace

std::vector<Check> kernel_checks(const KernelStatus& status) {
    std::vector<Check> checks;
    if (status.enabled == 0) {
        checks.push_back({"kernel/enabled", Health::fault, "the kernel's audit is switched off", "auditctl -e 1"});
    } else {
        checks.push_back({"kernel/enabled", Health::good, "the kernel's audit is on", ""});
    }
    if (status.pid == 0) {
        checks.push_back(
            {"kernel/auditd", Health::fault, "no auditd takes the kernel's records", "systemctl start auditd"});
    } else {
        checks.push_back(
            {"kernel/auditd", Health::good, fmt::format("auditd (pid {}) takes the kernel's records", status.pid), ""});
    }
    if (status.lost > 0) {
        checks.push_back({"kernel/lost", Health::warning,
                          fmt::format("{} records were lost since boot or since the counter was reset", status.lost),
                          "raise the backlog limit (auditctl -b); then auditctl --reset-lost, and look again"});
    } else {
        checks.push_back({"kernel/lost", Health::good, "no record was lost", ""});
    }
    checks.push_back(backlog_check(status.backlog_limit));
    add(checks, rate_check(status.rate_limit));
    add(checks, lock_check(status.enabled));
    return checks;
}

std::vector<Check> setting_checks(const RuleSet& set) {
    std::vector<Check> checks;
    const auto number = [&set](char option) -> std::optional<std::uint32_t> {
        const auto text = set.setting(option);
        return text ? number_of({{"value", *text}}, "value") : std::nullopt;
    };
    if (number('e') == 0U) {
        checks.push_back({"kernel/enabled", Health::fault, "-e 0 switches the kernel's audit off", "-e 1"});
    }
    if (const auto limit = number('b')) {
        checks.push_back(backlog_check(*limit));
    }
    add(checks, rate_check(number('r').value_or(0)));
    add(checks, lock_check(number('e').value_or(1)));
    return checks;
}

std::optional<std::string> auditd_log(const std::string& directory) {
    const auto settings = read_settings(directory + "/auditd.conf").value_or(Settings{});
    const bool writes = base::lower(value_of(settings, "write_logs", "yes")) == "yes" &&
                        base::lower(value_of(settings, "log_format", "raw")) != "nolog";
    return writes ? std::optional(value_of(settings, "log_file", "/var/log/audit/audit.log")) : std::nullopt;
}

std::vector<Check> auditd_checks(const std::string& directory) {
    const auto path = directory + "/auditd.conf";
    const auto settings = read_settings(path);
    if (!settings) {
        return {{"auditd/configuration", Health::fault, fmt::format("{}: cannot be read", path),
                 "install auditd, or name its directory with --auditd"}};
    }
    std::vector<Check> checks;
    if (base::lower(value_of(*settings, "log_format", "raw")) == "enriched") {
        checks.push_back({"auditd/log_format", Health::good, "records carry user names (log_format = ENRICHED)", ""});
    } else {
        checks.push_back(
            {"auditd/log_format", Health::warning,
             "records carry no user names (log_format is not ENRICHED): an expectation by name is answered from "
             "this host's accounts, and a replay elsewhere cannot answer it",
             fmt::format("log_format = ENRICHED in {}", path)});
    }
    if (base::lower(value_of(*settings, "name_format", "none")) == "none") {
        checks.push_back(
            {"auditd/name_format", Health::warning,
             "records do not name this host (name_format = NONE): logs of several hosts cannot be told apart",
             fmt::format("name_format = HOSTNAME in {}", path)});
    }
    if (const auto depth = number_of(*settings, "q_depth"); depth.value_or(least_queue) < least_queue) {
        checks.push_back({"auditd/q_depth", Health::warning,
                          fmt::format("only {} events wait for plugins (q_depth)", *depth),
                          fmt::format("q_depth = {} or more in {}", least_queue, path)});
    }
    if (const auto restarts = number_of(*settings, "max_restarts");
        restarts.value_or(least_restarts) < least_restarts) {
        checks.push_back({"auditd/max_restarts", Health::warning,
                          fmt::format("a plugin that fails is started again only {} times (max_restarts)", *restarts),
                          fmt::format("max_restarts = 10 in {}", path)});
    }
    const auto plugins = value_of(*settings, "plugin_dir", directory + "/plugins.d");
    auto plugin = plugin_checks(plugins + "/luatrail.conf");
    checks.insert(checks.end(), plugin.begin(), plugin.end());
    return checks;
}

} // namespace luatrail::rules
