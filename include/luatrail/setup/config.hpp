// The program's configuration, /etc/luatrail/luatrail.toml (docs/design.md, "Configuration"): every key optional, the
// initialisers below are the defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::setup {

struct Config {
    struct Engine {
        std::int64_t window_ms = 600'000;          // 1 ms to 7 days
        std::uint64_t memory_bytes = 64ULL << 20U; // 8 MiB to 64 GiB
        friend bool operator==(const Engine&, const Engine&) = default;
    };
    struct Detect {
        std::vector<std::string> baseline{"/etc/luatrail/baseline.d/*.toml"};
        std::string inventory = "/var/lib/luatrail/inventory";
        std::vector<std::string> profiles{"/usr/share/luatrail/interpreters.toml",
                                          "/etc/luatrail/interpreters.d/*.toml"};
        detect::Severity min_severity = detect::Severity::low;
        friend bool operator==(const Detect&, const Detect&) = default;
    };
    enum class Transport : std::uint8_t { local, off }; // udp, tcp and tls are refused as not yet supported
    enum class Format : std::uint8_t { rfc5424, cee };
    struct Syslog {
        Transport transport = Transport::local;
        std::string socket = "/dev/log";
        std::optional<std::string> host, ca; // for the network transports
        std::optional<std::uint16_t> port;
        int facility = 10; // authpriv (RFC 5424, table 1)
        Format format = Format::rfc5424;
        std::size_t max_bytes =
            8096; // report::least_syslog_bytes to 65536; rsyslogd cuts at 8096 unless told otherwise
        friend bool operator==(const Syslog&, const Syslog&) = default;
    };
    struct State {
        std::string directory = "/var/lib/luatrail";
        std::int64_t save_ms = 60'000; // how often; 1 s to 1 day
        friend bool operator==(const State&, const State&) = default;
    };
    struct Limits {
        std::int64_t repeat_ms = 60'000; // 0 (nothing is counted together) to 1 day
        std::size_t queue = 10'000;      // 1 to 1000000
        friend bool operator==(const Limits&, const Limits&) = default;
    };
    struct Privileges {
        bool seccomp = true; // the plugin allows itself only the system calls that it uses
        friend bool operator==(const Privileges&, const Privileges&) = default;
    };
    struct Live {
        bool look_ups = true;     // a finding gets what its files and its process show
        bool kernel_state = true; // the kernel is asked what it lost
        friend bool operator==(const Live&, const Live&) = default;
    };
    struct Status {
        std::string file = "/run/luatrail/status.json";
        std::optional<std::string> prometheus; // a file in node_exporter's textfile folder
        std::int64_t every_ms = 10'000;        // 1 s to 1 hour
        friend bool operator==(const Status&, const Status&) = default;
    };
    struct Doctor {
        std::string profile = "full"; // of the rules that this host is meant to have; or "lean"
        friend bool operator==(const Doctor&, const Doctor&) = default;
    };

    Engine engine;
    Detect detect;
    Syslog syslog;
    State state;
    Limits limits;
    Live live;
    Status status;
    Privileges privileges;
    Doctor doctor;
    friend bool operator==(const Config&, const Config&) = default;
};

// Both throw base::Error with the first error. A file that everybody may write is refused.
Config load_config(const std::string& path);
Config parse_config(std::string_view toml, std::string_view source_name);

// Every error of the file, one a line: "file:line:column: key: reason". Also looks whether the files that it names are
// there. Empty: none.
std::vector<std::string> check_config(const std::string& path);

// The files that `detect.baseline` or `detect.profiles` stand for: globs expanded in the order of their names, each
// file once. A glob may match nothing; a name without a wildcard must be there (base::Error "PATH: reason; remedy"),
// except where it is a default.
std::vector<std::string> find_files(const std::vector<std::string>& patterns);

// "64MiB": B, KiB, MiB, GiB (powers of 1024), kB, MB, GB (of 1000). Nothing when malformed, or too large; a bare number
// is refused.
std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace luatrail::setup
