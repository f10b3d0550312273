#include "luatrail/setup/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/base/toml_reader.hpp"

namespace luatrail::setup {
namespace {

using base::TomlTable;

constexpr std::int64_t day_ms = 86'400'000;

struct Range {
    std::int64_t low = 0;
    std::int64_t high = 0;
    std::string_view text; // "1 to 1000000"
};

template <class Value, std::size_t N>
using Names = std::array<std::pair<std::string_view, Value>, N>;

constexpr Names<Config::Transport, 2> transports{
    {{"local", Config::Transport::local}, {"off", Config::Transport::off}}};
constexpr Names<Config::Format, 2> formats{{{"rfc5424", Config::Format::rfc5424}, {"cee", Config::Format::cee}}};
constexpr Names<detect::Severity, 5> severities{{{"info", detect::Severity::info},
                                                 {"low", detect::Severity::low},
                                                 {"medium", detect::Severity::medium},
                                                 {"high", detect::Severity::high},
                                                 {"critical", detect::Severity::critical}}};
// RFC 5424, table 1, by the names of syslog(3).
constexpr Names<int, 20> facilities{{{"kern", 0},      {"user", 1},    {"mail", 2},    {"daemon", 3},  {"auth", 4},
                                     {"syslog", 5},    {"lpr", 6},     {"news", 7},    {"uucp", 8},    {"cron", 9},
                                     {"authpriv", 10}, {"ftp", 11},    {"local0", 16}, {"local1", 17}, {"local2", 18},
                                     {"local3", 19},   {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}}};

template <class Value, std::size_t N>
void read_name(const TomlTable& table, std::string_view key, const Names<Value, N>& names, Value& target) {
    const auto given = table.text(key);
    if (!given) {
        return;
    }
    std::vector<std::string_view> valid;
    for (const auto& [name, value] : names) {
        if (name == *given) {
            target = value;
            return;
        }
        valid.push_back(name);
    }
    table.complain(key, fmt::format("unknown value `{}`; {}", *given, base::suggestion(*given, valid)));
}

void read_duration(const TomlTable& table, std::string_view key, const Range& range, std::int64_t& target) {
    const auto given = table.text(key);
    if (!given) {
        return;
    }
    const auto ms = base::parse_duration(*given);
    if (!ms) {
        table.complain(key, fmt::format("`{}` is no duration; write it as \"250ms\", \"30s\", \"10m\", \"2h\" or "
                                        "\"7d\"",
                                        *given));
    } else if (*ms < range.low || *ms > range.high) {
        table.complain(key, fmt::format("`{}` is out of range; {}", *given, range.text));
    } else {
        target = *ms;
    }
}

template <class Number>
void read_number(const TomlTable& table, std::string_view key, const Range& range, Number& target) {
    const auto given = table.integer(key);
    if (!given) {
        return;
    }
    if (*given < range.low || *given > range.high) {
        table.complain(key, fmt::format("{} is out of range; {}", *given, range.text));
    } else {
        target = static_cast<std::decay_t<Number>>(*given);
    }
}

void read_path(const TomlTable& table, std::string_view key, std::string& target) {
    const auto given = table.text(key);
    if (!given) {
        return;
    }
    if (!given->starts_with('/')) {
        table.complain(key,
                       fmt::format("`{}` is relative, to a folder that nobody chose; give an absolute path", *given));
    } else {
        target = *given;
    }
}

void read_engine(const TomlTable& table, Config::Engine& engine) {
    table.allow_only({"window", "memory"});
    read_duration(table, "window", {1, 7 * day_ms, "1ms to 7d"}, engine.window_ms);
    const auto given = table.text("memory");
    if (!given) {
        return;
    }
    const auto bytes = parse_size(*given);
    if (!bytes) {
        table.complain("memory", fmt::format("`{}` is no size; write it as \"64MiB\" or \"1GiB\"", *given));
    } else if (*bytes < (8ULL << 20U) || *bytes > (64ULL << 30U)) {
        table.complain("memory", fmt::format("`{}` is out of range; 8MiB to 64GiB", *given));
    } else {
        engine.memory_bytes = *bytes;
    }
}

void read_detect(const TomlTable& table, Config::Detect& detect) {
    table.allow_only({"baseline", "inventory", "profiles", "min_severity"});
    detect.baseline = table.texts("baseline").value_or(detect.baseline);
    detect.profiles = table.texts("profiles").value_or(detect.profiles);
    read_path(table, "inventory", detect.inventory);
    read_name(table, "min_severity", severities, detect.min_severity);
}

void read_transport(const TomlTable& table, Config::Syslog& syslog) {
    const auto given = table.has("transport") ? table.text("transport") : std::optional<std::string>("local");
    if (given == "udp" || given == "tcp" || given == "tls") {
        table.complain("transport", fmt::format("`{}` is not yet supported; use local, and let the local syslog daemon "
                                                "forward, or off",
                                                *given));
        return;
    }
    read_name(table, "transport", transports, syslog.transport);
    for (const std::string_view key : {"host", "port", "ca"}) {
        if (given && table.has(key)) {
            table.complain(key, fmt::format("has no meaning with transport `{}`; remove it", *given));
        }
    }
}

void read_syslog(const TomlTable& table, Config::Syslog& syslog) {
    table.allow_only({"transport", "socket", "host", "port", "ca", "facility", "format", "max_bytes"});
    read_transport(table, syslog);
    read_path(table, "socket", syslog.socket);
    if (syslog.socket.size() >= sizeof(sockaddr_un::sun_path)) {
        table.complain("socket", fmt::format("longer than the {} bytes that a socket's path can have",
                                             sizeof(sockaddr_un::sun_path) - 1));
    }
    syslog.host = table.text("host");
    syslog.ca = table.text("ca");
    if (table.has("port")) {
        std::uint16_t port = 0;
        read_number(table, "port", {1, 65535, "1 to 65535"}, port);
        syslog.port = port;
    }
    read_name(table, "facility", facilities, syslog.facility);
    read_name(table, "format", formats, syslog.format);
    read_number(table, "max_bytes", {2560, 65536, "2560 to 65536"}, syslog.max_bytes);
}

void read_status(const TomlTable& table, Config::Status& status) {
    table.allow_only({"file", "prometheus", "every"});
    read_path(table, "file", status.file);
    if (table.has("prometheus")) {
        std::string path;
        read_path(table, "prometheus", path);
        status.prometheus = path;
        if (!path.empty() && !path.ends_with(".prom")) {
            table.complain("prometheus", "node_exporter reads only files whose names end in .prom; name it so");
        }
    }
    read_duration(table, "every", {1000, day_ms / 24, "1s to 1h"}, status.every_ms);
}

Config read_config(const TomlTable& file) {
    Config config;
    file.allow_only({"engine", "detect", "syslog", "state", "live", "status", "limits", "privileges", "doctor"});
    if (const auto engine = file.table("engine")) {
        read_engine(*engine, config.engine);
    }
    if (const auto detect = file.table("detect")) {
        read_detect(*detect, config.detect);
    }
    if (const auto syslog = file.table("syslog")) {
        read_syslog(*syslog, config.syslog);
    }
    if (const auto state = file.table("state")) {
        state->allow_only({"directory", "save"});
        read_path(*state, "directory", config.state.directory);
        read_duration(*state, "save", {1000, day_ms, "1s to 1d"}, config.state.save_ms);
    }
    if (const auto live = file.table("live")) {
        live->allow_only({"look_ups", "kernel_state"});
        config.live.look_ups = live->boolean("look_ups").value_or(config.live.look_ups);
        config.live.kernel_state = live->boolean("kernel_state").value_or(config.live.kernel_state);
    }
    if (const auto status = file.table("status")) {
        read_status(*status, config.status);
    }
    if (const auto limits = file.table("limits")) {
        limits->allow_only({"repeat", "queue"});
        read_duration(*limits, "repeat", {0, day_ms, "0s to 1d"}, config.limits.repeat_ms);
        read_number(*limits, "queue", {1, 1'000'000, "1 to 1000000"}, config.limits.queue);
    }
    if (const auto privileges = file.table("privileges")) {
        privileges->allow_only({"seccomp"});
        config.privileges.seccomp = privileges->boolean("seccomp").value_or(true);
    }
    if (const auto doctor = file.table("doctor")) {
        constexpr Names<std::string_view, 2> profiles{{{"full", "full"}, {"lean", "lean"}}};
        doctor->allow_only({"profile"});
        std::string_view profile = "full";
        read_name(*doctor, "profile", profiles, profile);
        config.doctor.profile = profile;
    }
    return config;
}

bool has_wildcard(std::string_view pattern) {
    return pattern.find_first_of("*?[") != std::string_view::npos;
}

bool is_default(const std::string& pattern) {
    const Config::Detect defaults;
    const auto among = [&pattern](const std::vector<std::string>& all) {
        return std::find(all.begin(), all.end(), pattern) != all.end();
    };
    return among(defaults.baseline) || among(defaults.profiles);
}

struct Globbed {
    glob_t found{};
    Globbed() = default;
    Globbed(const Globbed&) = delete;
    Globbed& operator=(const Globbed&) = delete;
    ~Globbed() { ::globfree(&found); }
};

// A folder that cannot be listed is an error: rules that cannot be read must not look like rules that are not there.
std::vector<std::string> expand(const std::string& pattern) {
    Globbed result;
    switch (::glob(pattern.c_str(), GLOB_ERR | GLOB_NOSORT, nullptr, &result.found)) {
    case 0:
        break;
    case GLOB_NOMATCH:
        return {};
    default:
        if (errno == ENOENT) { // no such folder: nothing matches
            return {};
        }
        throw base::Error(fmt::format("{}: {}; make its folder readable for this user", pattern,
                                      std::generic_category().message(errno)));
    }
    std::vector<std::string> files(result.found.gl_pathv, result.found.gl_pathv + result.found.gl_pathc);
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

Config load_config(const std::string& path) {
    return read_config(TomlTable::from_file(path));
}

Config parse_config(std::string_view toml, std::string_view source_name) {
    return read_config(TomlTable::from_text(toml, source_name));
}

std::vector<std::string> check_config(const std::string& path) {
    base::TomlErrors errors;
    const auto file = TomlTable::from_file(path, &errors);
    read_config(file);
    const auto detect = file.table("detect");
    if (!errors.empty() || !detect) {
        return errors;
    }
    for (const std::string_view key : {"baseline", "profiles"}) {
        for (const auto& pattern : detect->texts(key).value_or(std::vector<std::string>{})) {
            try {
                find_files({pattern});
            } catch (const base::Error& error) {
                detect->complain(key, error.what());
            }
        }
    }
    return errors;
}

std::vector<std::string> find_files(const std::vector<std::string>& patterns) {
    std::vector<std::string> files;
    const auto add = [&files](const std::string& file) {
        if (std::find(files.begin(), files.end(), file) == files.end()) {
            files.push_back(file);
        }
    };
    for (const auto& pattern : patterns) {
        struct stat status {};
        if (has_wildcard(pattern)) {
            for (const auto& file : expand(pattern)) {
                add(file);
            }
        } else if (::stat(pattern.c_str(), &status) == 0) {
            add(pattern);
        } else if (errno != ENOENT || !is_default(pattern)) {
            throw base::Error(fmt::format("{}: {}; check the path", pattern, std::generic_category().message(errno)));
        }
    }
    return files;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr Names<std::uint64_t, 7> units{{{"B", 1},
                                             {"KiB", 1ULL << 10U},
                                             {"MiB", 1ULL << 20U},
                                             {"GiB", 1ULL << 30U},
                                             {"kB", 1'000},
                                             {"MB", 1'000'000},
                                             {"GB", 1'000'000'000}}};
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& [name, factor] : units) {
        if (unit == name && number <= std::numeric_limits<std::uint64_t>::max() / factor) {
            return number * factor;
        }
    }
    return std::nullopt;
}

} // namespace luatrail::setup
