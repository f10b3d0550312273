#include "luatrail/setup/config.hpp"

#include <fmt/format.h>

#include "luatrail/base/error.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace luatrail::setup::config_test {
namespace {

std::string error_of(std::string_view toml) {
    try {
        parse_config(toml, "c.toml");
    } catch (const base::Error& error) {
        return error.what();
    }
    return "no error";
}

TEST_CASE("an empty configuration is the defaults") {
    const auto config = parse_config("", "c.toml");
    CHECK(config == Config{});
    CHECK(config.engine.window_ms == 600'000);
    CHECK(config.engine.memory_bytes == 67'108'864);
    CHECK(config.detect.min_severity == detect::Severity::low);
    CHECK(config.limits.repeat_ms == 60'000);
    CHECK(config.limits.queue == 10'000);
    CHECK(config.syslog.facility == 10);
}

TEST_CASE("each value goes to the member that its key names") {
    const auto config = parse_config(R"(
[engine]
window = "1h30m"
memory = "1GiB"
[detect]
baseline = ["/a/*.toml", "/b.toml"]
inventory = "/inv"
profiles = []
min_severity = "critical"
[syslog]
transport = "off"
socket = "/run/log"
facility = "local3"
format = "cee"
max_bytes = 2560
[state]
directory = "/state"
save = "2s"
[live]
look_ups = false
kernel_state = false
[status]
file = "/status"
prometheus = "/x.prom"
every = "3s"
[privileges]
user = "root"
seccomp = false
[doctor]
profile = "lean"
[limits]
repeat = "0s"
queue = 1
)",
                                     "c.toml");
    Config expected;
    expected.engine = {5'400'000, 1ULL << 30U};
    expected.detect = {{"/a/*.toml", "/b.toml"}, "/inv", {}, detect::Severity::critical};
    expected.syslog = {Config::Transport::off, "/run/log", 19, Config::Format::cee, 2560};
    expected.state = {"/state", 2000};
    expected.live = {false, false};
    expected.status = {"/status", "/x.prom", 3000};
    expected.privileges = {"root", false};
    expected.doctor = {"lean"};
    expected.limits = {0, 1};
    CHECK(config == expected);
}

TEST_CASE("a facility's name is its code in RFC 5424") {
    const std::pair<std::string_view, int> cases[] = {{"kern", 0}, {"cron", 9},    {"authpriv", 10},
                                                      {"ftp", 11}, {"local0", 16}, {"local7", 23}};
    for (const auto& [name, code] : cases) {
        INFO(name);
        CHECK(parse_config(fmt::format("[syslog]\nfacility = \"{}\"", name), "c.toml").syslog.facility == code);
    }
}

TEST_CASE("each wrong value is refused with place, key, reason and what would be right") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"[engin]", "c.toml:1:2: engin: unknown key; did you mean `engine`?"},
        {"engine = 1", "c.toml:1:10: engine: expected table, found integer"},
        {"[engine]\nwindwo = \"1m\"", "c.toml:2:1: engine.windwo: unknown key; did you mean `window`?"},
        {"[engine]\nwindow = 10", "c.toml:2:10: engine.window: expected string, found integer"},
        {"[engine]\nwindow = \"10\"",
         "c.toml:2:10: engine.window: `10` is no duration; write it as \"250ms\", \"30s\", "
         "\"10m\", \"2h\" or \"7d\""},
        {"[engine]\nwindow = \"0s\"", "c.toml:2:10: engine.window: `0s` is out of range; 1ms to 7d"},
        {"[engine]\nwindow = \"8d\"", "c.toml:2:10: engine.window: `8d` is out of range; 1ms to 7d"},
        {"[engine]\nmemory = \"64\"", "c.toml:2:10: engine.memory: `64` is no size; write it as \"64MiB\" or \"1GiB\""},
        {"[engine]\nmemory = \"7MiB\"", "c.toml:2:10: engine.memory: `7MiB` is out of range; 8MiB to 64GiB"},
        {"[engine]\nmemory = \"65GiB\"", "c.toml:2:10: engine.memory: `65GiB` is out of range; 8MiB to 64GiB"},
        {"[detect]\nbaseline = \"/x\"", "c.toml:2:12: detect.baseline: expected array of strings, found string"},
        {"[detect]\nbaseline = [1]", "c.toml:2:13: detect.baseline: expected string, found integer"},
        {"[detect]\nmin_severity = \"hihg\"",
         "c.toml:2:16: detect.min_severity: unknown value `hihg`; did you mean `high`?"},
        {"[detect]\nmin_severity = \"notice\"",
         "c.toml:2:16: detect.min_severity: unknown value `notice`; known here: info, "
         "low, medium, high, critical"},
        {"[detect]\ninventory = \"inv\"",
         "c.toml:2:13: detect.inventory: `inv` is relative, to a directory that nobody chose; give an absolute path"},
        {"[syslog]\ntransport = \"tls\"",
         "c.toml:2:13: syslog.transport: `tls` is not supported yet; use local, and let the "
         "local syslog daemon forward, or off"},
        {"[syslog]\ntransport = \"locale\"",
         "c.toml:2:13: syslog.transport: unknown value `locale`; did you mean `local`?"},
        {"[syslog]\nhost = \"x\"",
         "c.toml:2:8: syslog.host: is for syslog over the network, which is not supported yet; remove it"},
        {"[syslog]\ntransport = \"off\"\nport = 1",
         "c.toml:3:8: syslog.port: is for syslog over the network, which is not supported yet; remove it"},
        {"[syslog]\nfacility = \"local8\"",
         "c.toml:2:12: syslog.facility: unknown value `local8`; did you mean `local0`?"},
        {"[syslog]\nformat = \"json\"", "c.toml:2:10: syslog.format: unknown value `json`; known here: rfc5424, cee"},
        {"[syslog]\nmax_bytes = 2559", "c.toml:2:13: syslog.max_bytes: 2559 is out of range; 2560 to 65536"},
        {"[syslog]\nmax_bytes = 65537", "c.toml:2:13: syslog.max_bytes: 65537 is out of range; 2560 to 65536"},
        {"[syslog]\nmax_bytes = \"8KiB\"", "c.toml:2:13: syslog.max_bytes: expected integer, found string"},
        {"[state]\ndirectory = \"\"",
         "c.toml:2:13: state.directory: `` is relative, to a directory that nobody chose; give an absolute path"},
        {"[limits]\nqueue = 0", "c.toml:2:9: limits.queue: 0 is out of range; 1 to 1000000"},
        {"[limits]\nqueue = 1000001", "c.toml:2:9: limits.queue: 1000001 is out of range; 1 to 1000000"},
        {"[limits]\nqueue = -1", "c.toml:2:9: limits.queue: -1 is out of range; 1 to 1000000"},
        {"[limits]\nrepeat = \"2d\"", "c.toml:2:10: limits.repeat: `2d` is out of range; 0s to 1d"},
    };
    for (const auto& [toml, expected] : cases) {
        INFO(toml);
        CHECK(error_of(toml) == expected);
    }
    CHECK(error_of("[syslog]\nsocket = \"/" + std::string(108, 'x') + "\"") ==
          "c.toml:2:10: syslog.socket: longer than the 107 bytes that a socket's path can have");
    CHECK(error_of("[engine\n").find("c.toml:1:8: syntax: ") == 0);
}

TEST_CASE("a check lists every error, one a line, in the order of the file's tables") {
    const test::TempDir dir;
    const auto file = dir.write("c.toml", "[engine]\nwindow = \"never\"\nmemory = 3\nx = 1\n[detect]\nmin_severity = "
                                          "\"loud\"\n[limits]\nqueue = 0\n[nonsense]\n");
    CHECK(check_config(file) ==
          std::vector<std::string>{
              file + ":9:2: nonsense: unknown key; known here: engine, detect, syslog, state, live, status, "
                     "privileges, doctor, limits",
              file + ":4:1: engine.x: unknown key; known here: window, memory",
              file + ":2:10: engine.window: `never` is no duration; write it as \"250ms\", \"30s\", \"10m\", \"2h\" or "
                     "\"7d\"",
              file + ":3:10: engine.memory: expected string, found integer",
              file + ":6:16: detect.min_severity: unknown value `loud`; did you mean `low`?",
              file + ":8:9: limits.queue: 0 is out of range; 1 to 1000000"});
    CHECK(check_config(dir.path("none")) ==
          std::vector<std::string>{dir.path("none") + ": No such file or directory; check the path"});
    const auto broken = dir.write("broken.toml", "[engine\nwindow = 3\n");
    CHECK(check_config(broken).size() == 1);
}

TEST_CASE("a check looks whether the named files are there") {
    const test::TempDir dir;
    const auto file = dir.write("c.toml", "[detect]\nbaseline = [\"" + dir.path("none.toml") + "\", \"" +
                                              dir.path("*.none") + "\"]\n");
    CHECK(check_config(file) == std::vector<std::string>{file + ":2:12: detect.baseline: " + dir.path("none.toml") +
                                                         ": No such file or directory; check the path"});
}

TEST_CASE("a configuration that everybody may write is refused") {
    const test::TempDir dir;
    const auto file = dir.write("c.toml", "");
    std::filesystem::permissions(file, std::filesystem::perms(0646));
    CHECK_THROWS_AS(load_config(file), base::Error);
    CHECK(check_config(file).size() == 1);
}

TEST_CASE("globs are expanded in the order of their names, and each file comes once") {
    const test::TempDir dir;
    const auto b = dir.write("d/b.toml", "");
    const auto a = dir.write("d/a.toml", "");
    dir.write("d/c.txt", "");
    CHECK(find_files({dir.path("d/*.toml")}) == std::vector<std::string>{a, b});
    CHECK(find_files({b, dir.path("d/*.toml")}) == std::vector<std::string>{b, a});
    CHECK(find_files({dir.path("nothing/*.toml"), dir.path("d/*.none")}).empty());
    CHECK(find_files({}).empty());
    CHECK_THROWS_WITH(find_files({dir.path("d/x.toml")}),
                      dir.path("d/x.toml") + ": No such file or directory; check the path");
}

TEST_CASE("the default places may be empty") {
    const Config config;
    CHECK_NOTHROW(find_files(config.detect.baseline));
    CHECK_NOTHROW(find_files(config.detect.profiles));
}

TEST_CASE("sizes have a unit and fit into 64 bits") {
    const std::pair<std::string_view, std::optional<std::uint64_t>> cases[] = {
        {"64MiB", 67'108'864},
        {"8KiB", 8192},
        {"1GiB", 1'073'741'824},
        {"1GB", 1'000'000'000},
        {"2MB", 2'000'000},
        {"3kB", 3000},
        {"7B", 7},
        {"0B", 0},
        {"64", std::nullopt},
        {"", std::nullopt},
        {"MiB", std::nullopt},
        {"-1MiB", std::nullopt},
        {"1 MiB", std::nullopt},
        {"1mib", std::nullopt},
        {" 1MiB", std::nullopt},
        {"1.5GiB", std::nullopt},
        {"17179869183GiB", 18446744072635809792ULL},
        {"17179869184GiB", std::nullopt},
        {"99999999999999999999B", std::nullopt},
        {"+1MiB", std::nullopt},
        {"1MiBs", std::nullopt}};
    for (const auto& [text, expected] : cases) {
        INFO(text);
        CHECK(parse_size(text) == expected);
    }
}

} // namespace
} // namespace luatrail::setup::config_test
