// What the engine knows of one node (one host, by the `node=` of its records).
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <vector>

#include "luatrail/detect/finding.hpp"
#include "luatrail/host/file_ledger.hpp"
#include "luatrail/host/process_table.hpp"

namespace luatrail::detect {

// A run of Lua that later events may still raise.
struct Run {
    host::ProcessRef process;
    std::uint32_t pid = 0;
    std::optional<host::FileId> script;
    std::optional<std::string> script_path, interpreter_path;
    Finding finding; // the latest of the run
};

// A process that came up lately: to tell `producer | lua` from a `lua` that a person types into.
struct Birth {
    std::int64_t time_ms = 0;
    std::uint32_t pid = 0, parent = 0;
};

struct Node {
    std::string name;
    host::ProcessTable processes;
    host::FileLedger files;
    std::deque<Run> runs;      // oldest first
    std::deque<Birth> births;  // oldest first
    std::int64_t newest_ms = INT64_MIN;
    std::int64_t lost_ms = INT64_MIN; // newest event time when records were last known to be lost

    Node(std::string_view node_name, std::size_t processes_kept, std::size_t ledger_bytes)
        : name(node_name), processes(processes_kept), files(ledger_bytes) {}

    std::size_t memory() const {
        constexpr std::size_t run_bytes = 8192; // a finding with its strings
        return processes.memory() + files.memory() + runs.size() * run_bytes + births.size() * sizeof(Birth);
    }
};

} // namespace luatrail::detect
