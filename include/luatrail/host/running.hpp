// The processes that run on this very host, for a live feed that begins after they did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "luatrail/audit/record.hpp"
#include "luatrail/host/process_table.hpp"

namespace luatrail::host {

struct RunningProcess : audit::Credentials {
    std::uint32_t pid = 0, ppid = 0;
    std::int64_t started_ms = 0; // since 1970
    std::optional<std::string> exe, comm;
    std::vector<std::string> argv;
};

// From a proc(5) file system: parents before their children. Processes that end meanwhile are left out; kernel threads
// are, too. Where /proc hides other users' processes (hidepid), they are missing. Never throws.
std::vector<RunningProcess> running_processes(const std::string& proc = "/proc");

// One of them; nothing when it does not run, is a kernel thread, or may not be looked at.
std::optional<RunningProcess> running_process(std::uint32_t pid, const std::string& proc = "/proc");

// Makes the table know them. What it knew and does not run any more has ended at `now`.
void seed(ProcessTable& table, const std::vector<RunningProcess>& running, const audit::EventId& now);

} // namespace luatrail::host
