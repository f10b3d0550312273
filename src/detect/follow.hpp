// What later events show of a run: what it started, reached, wrote and removed, and what was done to its memory.
#pragma once

#include <vector>

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/detect/profiles.hpp"
#include "luatrail/host/file_ledger.hpp"

namespace luatrail::detect {

struct FollowUp {
    Run* run = nullptr; // lives until the node forgets it
    ChainEntry entry;
    std::optional<audit::EventId> seen{}; // the event that showed it, where the entry's own is an earlier one
};
using FollowUps = std::vector<FollowUp>;

// What is then known of the run: its finding, without a new severity and id. `seen_by` as FollowUp::seen.
Finding raised(const Node& node, const Run& run, ChainEntry entry, const std::optional<audit::EventId>& seen_by);

// Whether a process is the run's own, or was forked by it and runs no other program.
bool is_run_itself(const Node& node, const Run& run, host::ProcessRef who);
bool runs_lua(Node& node, host::ProcessRef who); // whether it is one of a run

// An exec below a run, as an entry of its chain.
ChainEntry child_of_run(const Node& node, const audit::TypedEvent& event, host::ProcessRef process,
                        host::ProcessRef run, ChainKind kind);

// A shell, a download tool, or a program that the run's own tree wrote after the run began.
FollowUps after_exec(Node& node, const audit::TypedEvent& event, host::ProcessRef process, const Program& program);
// A connection that was begun (EINPROGRESS) or refused shows as much as one that was made.
FollowUps after_connect(Node& node, const audit::TypedEvent& event, host::ProcessRef who);
// Anonymous memory that is executable; another process's memory, or the run's own by another process.
FollowUps after_memory_call(Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                            const EngineOptions& options);
// Before the ledger learns of it: the run's own file removed; a file written that brings the run back.
FollowUps after_file_change(Node& node, const host::FileEvent& file, host::ProcessRef who, const ProfileSet& profiles);
// An opening for reading, by the run itself, of what was dropped before: `require`, `dofile`, a C module.
FollowUps after_open(Node& node, const audit::TypedEvent& event, host::ProcessRef who, const EngineOptions& options);

// What is known of a file that was opened; null: nothing, or only of another one with its inode number.
const host::File* opened_file(const Node& node, const audit::TypedEvent& event, const audit::PathItem& item,
                              const host::FileId& id);
// ANOM_ABEND and SECCOMP name a process by its pid, as does an AVC that denied executable memory.
FollowUps after_crash(Node& node, const audit::EventId& event, std::uint32_t pid);
FollowUps after_denial(Node& node, const audit::EventId& event, const audit::Message& message);

} // namespace luatrail::detect
