// The program's configuration, /etc/luatrail/luatrail.toml. Its keys, their ranges and their defaults stand in one
// table, src/setup/config_keys.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::setup {

// Config{} has the defaults. A section by itself, as Config::Engine{}, is blank.
struct Config {
    struct Engine {
        std::int64_t window_ms = 0;
        std::uint64_t memory_bytes = 0;
        friend bool operator==(const Engine&, const Engine&) = default;
    };
    struct Detect {
        std::vector<std::string> baseline;
        std::string inventory;
        std::vector<std::string> profiles;
        detect::Severity min_severity{};
        friend bool operator==(const Detect&, const Detect&) = default;
    };
    enum class Transport : std::uint8_t { local, off };
    enum class Format : std::uint8_t { rfc5424, cee };
    struct Syslog {
        Transport transport{};
        std::string socket;
        int facility = 0; // RFC 5424, table 1
        Format format{};
        std::size_t max_bytes = 0;
        friend bool operator==(const Syslog&, const Syslog&) = default;
    };
    struct State {
        std::string directory;
        std::int64_t save_ms = 0;
        friend bool operator==(const State&, const State&) = default;
    };
    struct Live {
        bool look_ups = false;
        bool kernel_state = false;
        friend bool operator==(const Live&, const Live&) = default;
    };
    struct Status {
        std::string file;
        std::optional<std::string> prometheus;
        std::int64_t every_ms = 0;
        friend bool operator==(const Status&, const Status&) = default;
    };
    struct Privileges {
        std::string user; // whom the plugin becomes after its start; "root" or "": nobody
        bool seccomp = false;
        friend bool operator==(const Privileges&, const Privileges&) = default;
    };
    struct Doctor {
        std::string profile;
        friend bool operator==(const Doctor&, const Doctor&) = default;
    };
    struct Limits {
        std::int64_t repeat_ms = 0; // 0: nothing is counted together
        std::size_t queue = 0;
        friend bool operator==(const Limits&, const Limits&) = default;
    };

    Config();

    Engine engine;
    Detect detect;
    Syslog syslog;
    State state;
    Live live;
    Status status;
    Privileges privileges;
    Doctor doctor;
    Limits limits;
    friend bool operator==(const Config&, const Config&) = default;

  private:
    struct Blank {};
    explicit Config(Blank /*unset*/) {}
    static const Config& defaults();
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

// Whether this process may not read a file that the pattern stands for, or not look which there are.
bool may_not_read(const std::string& pattern);

// "64MiB": B, KiB, MiB, GiB (powers of 1024), kB, MB, GB (of 1000). Nothing when malformed, or too large; a bare number
// is refused.
std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace luatrail::setup
