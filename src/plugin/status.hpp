// The running plugin's counters as a JSON file (schema luatrail/status/1). All count from the plugin's start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "luatrail/audit/assembler.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/report/syslog_sink.hpp"
#include "luatrail/source/parser.hpp"
#include "plugin/evidence_sink.hpp"
#include "plugin/lag.hpp"
#include "plugin/loss_watch.hpp"

namespace luatrail::plugin {

// Who the plugin is after its start, and what limits it.
struct Standing {
    std::string user;
    bool seccomp = false;
    int landlock = 0; // its version in this kernel; 0: none
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
    Standing standing;
    std::vector<std::pair<std::string, bool>> helpers; // whether they live, by what they are for
    Lag lag;
};

std::string to_json(const Status& status); // one object, indented, ends in a newline

// This process's resident bytes (/proc/self/statm); 0 when unknown.
std::size_t resident_bytes();

} // namespace luatrail::plugin
