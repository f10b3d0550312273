#include "setup/config_keys.hpp"

#include <array>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <sys/un.h>

#include "luatrail/base/words.hpp"

namespace luatrail::setup {
namespace {

using Type = KeyType;

template <auto section, auto member>
void set(Config& config, const KeyValue& value) {
    auto& target = config.*section.*member;
    using Target = std::decay_t<decltype(target)>;
    if constexpr (std::is_same_v<Target, bool>) {
        target = value.flag;
    } else if constexpr (std::is_enum_v<Target> || std::is_integral_v<Target>) {
        target = static_cast<Target>(value.number);
    } else if constexpr (std::is_same_v<Target, std::vector<std::string>>) {
        target = value.texts;
    } else {
        target = value.text;
    }
}

void set_nothing(Config&, const KeyValue&) {}

// RFC 5424, table 1. The codes 12 to 15 have no name in syslog(3).
void set_facility(Config& config, const KeyValue& value) {
    constexpr int first_local = 12;
    const int place = static_cast<int>(value.number);
    config.syslog.facility = place < first_local ? place : place - first_local + 16;
}

std::string no_network(std::string_view text) {
    if (text == "udp" || text == "tcp" || text == "tls") {
        return fmt::format("`{}` is not supported yet; use local, and let the local syslog daemon forward, or off",
                           text);
    }
    return {};
}

std::string too_long_for_a_socket(std::string_view text) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    return text.size() > longest ? fmt::format("longer than the {} bytes that a socket's path can have", longest)
                                 : std::string{};
}

std::string no_textfile(std::string_view text) {
    return text.ends_with(".prom") ? std::string{}
                                   : "node_exporter reads only files whose names end in .prom; name it so";
}

std::string no_account(std::string_view text) {
    return text.find_first_of(":/ \t\n") == std::string_view::npos
               ? std::string{}
               : fmt::format("`{}` is no user's name; give one that `getent passwd` knows, or \"root\"", text);
}

// The words of an enumeration stand in its order.
constexpr std::array keys{
    ConfigKey{"engine", "window", Type::duration, "10m", "1ms to 7d",
              "How long before a run a drop still counts, and what follows after it",
              set<&Config::engine, &Config::Engine::window_ms>},
    ConfigKey{"engine", "memory", Type::size, "64MiB", "8MiB to 64GiB",
              "What all tables together may hold; beyond it the oldest entries go, and findings say so",
              set<&Config::engine, &Config::Engine::memory_bytes>},

    ConfigKey{"detect", "baseline", Type::patterns, "/etc/luatrail/baseline.d/*.toml", "",
              "Files that say who may run which Lua; a pattern may match nothing, a file that is named must be there",
              set<&Config::detect, &Config::Detect::baseline>},
    ConfigKey{"detect", "inventory", Type::path, "/var/lib/luatrail/inventory", "", "Which package owns what",
              set<&Config::detect, &Config::Detect::inventory>},
    ConfigKey{"detect", "profiles", Type::patterns,
              "/usr/share/luatrail/interpreters.toml, /etc/luatrail/interpreters.d/*.toml", "",
              "Interpreters beside those that are built in; one of the same name replaces a built-in one",
              set<&Config::detect, &Config::Detect::profiles>},
    ConfigKey{"detect", "min_severity", Type::word, "low", "info, low, medium, high, critical",
              "The least severity that is reported", set<&Config::detect, &Config::Detect::min_severity>},

    ConfigKey{"syslog", "transport", Type::word, "local", "local, off", "How findings reach the syslog daemon",
              set<&Config::syslog, &Config::Syslog::transport>, no_network},
    ConfigKey{"syslog", "socket", Type::path, "/dev/log", "", "The syslog daemon's socket",
              set<&Config::syslog, &Config::Syslog::socket>, too_long_for_a_socket},
    ConfigKey{"syslog", "host", Type::reserved, "", "", "for syslog over the network", set_nothing},
    ConfigKey{"syslog", "port", Type::reserved, "", "", "for syslog over the network", set_nothing},
    ConfigKey{"syslog", "ca", Type::reserved, "", "", "for syslog over the network", set_nothing},
    ConfigKey{"syslog", "facility", Type::word, "authpriv",
              "kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron, authpriv, ftp, local0, local1, local2, "
              "local3, local4, local5, local6, local7",
              "The facility of the messages", set_facility},
    ConfigKey{"syslog", "format", Type::word, "cee", "rfc5424, cee",
              "\"@cee:\" and the finding's JSON as syslog(3) writes it, or RFC 5424 with structured data and the JSON",
              set<&Config::syslog, &Config::Syslog::format>},
    // At least report::least_syslog_bytes. rsyslogd cuts at 8096 unless configured otherwise.
    ConfigKey{"syslog", "max_bytes", Type::number, "8096", "2560 to 65536",
              "The longest message in bytes; a longer finding is shortened field by field, and says so",
              set<&Config::syslog, &Config::Syslog::max_bytes>},

    ConfigKey{"state", "directory", Type::path, "/var/lib/luatrail", "", "Where the plugin keeps its state",
              set<&Config::state, &Config::State::directory>},
    ConfigKey{"state", "save", Type::duration, "1m", "1s to 1d",
              "How often the state is saved, beside the plugin's end", set<&Config::state, &Config::State::save_ms>},

    ConfigKey{"live", "look_ups", Type::boolean, "true", "",
              "Findings get what their files and their process show on this host",
              set<&Config::live, &Config::Live::look_ups>},
    ConfigKey{"live", "kernel_state", Type::boolean, "true", "",
              "The kernel is asked each second how many records it lost",
              set<&Config::live, &Config::Live::kernel_state>},

    ConfigKey{"status", "file", Type::path, "/run/luatrail/status.json", "",
              "The plugin's counters, for `luatrail status`", set<&Config::status, &Config::Status::file>},
    ConfigKey{"status", "prometheus", Type::path, "", "/var/lib/prometheus/node-exporter/luatrail.prom",
              "The same, as a textfile for node_exporter", set<&Config::status, &Config::Status::prometheus>,
              no_textfile},
    ConfigKey{"status", "every", Type::duration, "10s", "1s to 1h", "How often both are written",
              set<&Config::status, &Config::Status::every_ms>},

    ConfigKey{"privileges", "user", Type::account, "luatrail", "",
              "The user that the plugin becomes after its start; with \"root\" it stays root",
              set<&Config::privileges, &Config::Privileges::user>, no_account},
    ConfigKey{"privileges", "seccomp", Type::boolean, "true", "",
              "The plugin allows itself only the system calls that it uses",
              set<&Config::privileges, &Config::Privileges::seccomp>},

    ConfigKey{"doctor", "profile", Type::word, "full", "full, lean",
              "The profile of audit rules that this host should have", set<&Config::doctor, &Config::Doctor::profile>},

    ConfigKey{"limits", "repeat", Type::duration, "1m", "0s to 1d",
              "Equal findings within this time are counted into one; with 0s each is reported",
              set<&Config::limits, &Config::Limits::repeat_ms>},
    ConfigKey{"limits", "queue", Type::number, "10000", "1 to 1000000",
              "How many findings may wait for the syslog daemon; beyond it the least severe are dropped, and counted",
              set<&Config::limits, &Config::Limits::queue>},
};

} // namespace

std::span<const ConfigKey> config_keys() {
    return keys;
}

std::vector<std::string_view> words_of(const ConfigKey& key) {
    return base::fields(key.values, ", ");
}

std::pair<std::string_view, std::string_view> range_of(const ConfigKey& key) {
    const auto ends = base::fields(key.values, " to ");
    return {ends.front(), ends.back()};
}

std::string toml_line(const ConfigKey& key, std::string_view value) {
    switch (key.type) {
    case Type::number:
    case Type::boolean:
        return fmt::format("{} = {}", key.name, value);
    case Type::patterns:
        return fmt::format("{} = [\"{}\"]", key.name, fmt::join(base::fields(value, ", "), "\", \""));
    default:
        return fmt::format("{} = \"{}\"", key.name, value);
    }
}

} // namespace luatrail::setup
