// From one exec of an interpreter to a finding.
#pragma once

#include <optional>

#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"
#include "node.hpp"

namespace luatrail::detect {

// An exec that runs Lua code, and what was found out about it.
struct Invoked {
    const audit::TypedEvent* event = nullptr;
    host::ProcessRef process;
    ProfileSet::Match interpreter;
    Invocation invocation;
    std::optional<std::string> script_name; // absolute, as the interpreter was told it
    std::optional<std::string> script_path; // the same without the links to folders that are known
    std::optional<host::FileId> script;     // by the exec's own PATH item (a #! script)
    bool path_uncertain = false;
};

// Whether an exec is one of an interpreter, and how that is known: by its path; a memfd by argv[0]; what ld.so was told
// to run; a copy by the ledger. `offset` is where the interpreter's own argv begins (not 0 behind a loader).
struct Identified {
    ProfileSet::Match match;
    std::size_t offset = 0;
};
Identified identify(const Node& node, const audit::TypedEvent& event, const ProfileSet& profiles);

// The interpreter's own file, as the exec's PATH items name it; null when the ledger knows nothing of it.
const host::File* interpreter_file(const Node& node, const audit::TypedEvent& event);

// Where the script is and which file it is.
void locate_script(const Node& node, Invoked& run);

// What was done to the run's files before it, within the window: drops and memory artifacts. Sets degraded marks that
// belong to them.
void find_chain(const Node& node, const Invoked& run, const EngineOptions& options, Finding& finding);

// The finding without its severity: who ran what, in which tree, expected or not.
Finding describe(const Node& node, const Invoked& run, const EngineOptions& options);

// Fills severity, title, reasons, events and id from what the finding holds by now. False: no finding (an expected
// run).
bool conclude(const Node& node, std::string_view kind, Finding& finding);

// Whether another child of the same parent was born at the same moment and is alive: a pipeline.
bool in_pipeline(const Node& node, const host::Process& process, std::int64_t time_ms);

} // namespace luatrail::detect
