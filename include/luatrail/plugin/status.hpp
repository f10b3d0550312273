// The running plugin's counters, as others read them: a JSON file (schema luatrail/status/1), a Prometheus textfile, a
// page for a person. All count from the plugin's start.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "luatrail/audit/assembler.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/report/repeat_filter.hpp"
#include "luatrail/report/syslog_sink.hpp"
#include "luatrail/source/parser.hpp"
#include "plugin/evidence_sink.hpp"
#include "plugin/loss_watch.hpp"

namespace luatrail::plugin {

// How long after their kernel's stamp events came to be judged.
class Lag {
  public:
    // Upper bounds in milliseconds; beyond the last one there is one more bucket.
    static constexpr std::array<std::int64_t, 12> bounds{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 30000};

    void add(std::int64_t ms);
    const std::array<std::uint64_t, bounds.size() + 1>& counts() const { return counts_; } // not cumulative
    std::uint64_t total() const { return total_; }
    std::int64_t sum_ms() const { return sum_ms_; }
    std::int64_t newest_ms() const { return newest_ms_; }

  private:
    std::array<std::uint64_t, bounds.size() + 1> counts_{};
    std::uint64_t total_ = 0;
    std::int64_t sum_ms_ = 0, newest_ms_ = 0;
};

struct Status {
    std::string version, config;
    std::uint32_t pid = 0;
    std::int64_t started_ms = 0, written_ms = 0; // since 1970
    std::int64_t every_ms = 0;                   // how often this is written
    bool ended = false;
    source::ParserCounters parsed;
    audit::AssemblerCounters assembled;
    std::size_t in_flight = 0;
    detect::EngineCounters engine;
    std::size_t memory = 0, memory_limit = 0; // bytes of the tables
    std::size_t resident = 0;                 // bytes of the process; 0: unknown
    std::uint64_t repeats = 0;                // findings that were counted into others
    std::optional<report::SyslogCounters> syslog;
    LossCounters losses;
    std::optional<rules::KernelStatus> kernel;
    LookUpCounters look_ups;
    Lag lag;
};

std::string to_json(const Status& status); // one object, indented, ends in a newline

// From such JSON. All throw base::Error when it is none.
std::string status_prometheus(std::string_view json);
std::string status_text(std::string_view json, std::int64_t wall_clock_ms);
// The plugin that wrote it: its pid, and whether it meant to go on. `late`: it has not written when it should have.
struct StatusWriter {
    std::uint32_t pid = 0;
    bool ended = false, late = false;
};
StatusWriter status_writer(std::string_view json, std::int64_t wall_clock_ms);

// This process's resident bytes (/proc/self/statm); 0 when unknown.
std::size_t resident_bytes();

} // namespace luatrail::plugin
