// A run of Lua, as it is kept for later events that concern it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "luatrail/audit/record.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/host/actor.hpp"

namespace luatrail::detect {

// Bounded facts (detect/bounds.hpp). A finding that is made of facts that had to be cut says so (truncated-argv).
struct Run {
    // What later events are compared with.
    host::ProcessRef process;
    std::uint32_t pid = 0;
    audit::EventId event{}; // its exec
    std::optional<host::FileId> script{};
    std::optional<std::string> script_path{}, interpreter_path{};
    bool code_unknown = false; // its command line does not say what it runs: what it opens does
    bool ended = false;        // its process has
    std::optional<host::FileId> last_opened{};
    bool expected = false;              // as far as is known
    bool script_seen = false;           // it opened its script
    bool jit = false;                   // its interpreter makes memory executable by itself
    std::uint32_t chained = 0;          // a bit for each ChainKind in its chain
    std::optional<Severity> severity{}; // of its latest finding; nothing: it had none
    std::string facts{};                // the rest, packed (base/pack.hpp)

    bool has(ChainKind kind) const { return (chained >> static_cast<unsigned>(kind) & 1U) != 0; }
};

// Keeps what a finding of the run says, cut to the bounds.
void keep(Run& run, Finding finding);
// The finding as it was kept. `node`: the name, of which a run keeps no copy. Throws base::UnpackError where `facts`
// are not what keep() made.
Finding recall(const Run& run, const std::string& node);

// What it takes on the heap.
std::size_t heap_of(const Run& run);

template <class Archive>
void transfer(Archive& archive, Run& run) {
    archive(run.process, run.pid, run.event, run.script, run.script_path, run.interpreter_path, run.code_unknown,
            run.ended, run.jit, run.chained, run.severity, run.facts, run.last_opened, run.expected, run.script_seen);
}

} // namespace luatrail::detect
