// From one exec of an interpreter to a finding.
#pragma once

#include <optional>

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

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
    std::optional<std::string> copy_of; // of a copied interpreter: what was copied
    std::optional<Copying> copying;     // and who did it, where its own exec tells
};

// Whether an exec is one of an interpreter, and how that is known. `offset` is where the interpreter's own argv begins:
// not 0 behind a loader, or where it is a script of another interpreter.
struct Identified {
    ProfileSet::Match match;
    std::size_t offset = 0;
    std::optional<std::string> copy_of{};
    std::optional<Copying> copying{};
};
// By its path; a package that lists it as one; a file that ran as one under another name; ld.so's arguments; a copy, by
// the ledger and what the copier was told; argv[0], where that is an interpreter's name (`called_one`). Learns which
// files are interpreters.
Identified identify(Node& node, const audit::TypedEvent& event, const Program& program, bool called_one,
                    const EngineOptions& options);

// What its arguments make of it.
Invoked invoke(const audit::TypedEvent& event, host::ProcessRef process, Identified identified);

// Of a program that is none that is known, and that no file holds or somebody brought within the window: the finding,
// if it should turn out to be an interpreter by its content.
std::optional<Finding> describe_unknown(const Node& node, const audit::TypedEvent& event, host::ProcessRef process,
                                        const EngineOptions& options);

// The finding of a run that a variable of its environment gave other code first, without its severity.
Finding environment_finding(const Node& node, const Finding& run, std::string_view assignment,
                            const EngineOptions& options);

// Notes a program that was told to copy or fetch an interpreter.
void note_copying(Node& node, const audit::TypedEvent& event, host::ProcessRef by, const ProfileSet& profiles);

// The interpreter's own file, as the exec's PATH items name it; null when the ledger knows nothing of it.
const host::File* interpreter_file(const Node& node, const audit::TypedEvent& event);

// Where the script is and which file it is.
void locate_script(const Node& node, Invoked& run);

// What was done to the run's files before it, within the window: drops and memory artifacts. Sets degraded marks that
// belong to them.
void find_chain(const Node& node, const Invoked& run, const EngineOptions& options, Finding& finding);

// What was done within the window before to a file that a run opened: a module, a library, a script that it loads.
std::vector<ChainEntry> drops_of_opened(const Node& node, const EngineOptions& options, ChainKind kind,
                                        const host::File& file, host::ProcessRef run, std::int64_t now_ms);

// The finding without its severity: who ran what, in which tree, expected or not.
Finding describe(const Node& node, const Invoked& run, const EngineOptions& options);

// The server above an exec whose children tell of its Lua: the process that forked it; empty: none.
host::ProcessRef server_above(const Node& node, host::ProcessRef process, Programs& programs,
                              const ProfileSet& profiles);

// Of a server that runs Lua inside: the process is the server, the event is the exec below it that tells.
Finding describe_server(Node& node, const audit::TypedEvent& event, host::ProcessRef server, const Profile& profile,
                        const EngineOptions& options);

// What surrounds the process of a finding: its tree, packages, unit and login, and whether that is expected.
void add_circumstances(const Node& node, host::ProcessRef process, const EngineOptions& options, Finding& finding);

// What an actor's program is for, which program above it tells of the way in, and the login that it belongs to.
void describe_actor(const Node& node, host::ProcessRef who, const audit::EventId& at, const ProfileSet& profiles,
                    Actor& actor);

// Remembers the login that a PAM record tells of.
void note_login(Node& node, const audit::EventId& event, const audit::Message& message);

// The unit that systemd said to have started when it forked the topmost process above this one; nothing where several
// could be meant.
std::optional<std::string> unit_started(const Node& node, const std::vector<const host::Process*>& ancestors,
                                        const host::Process& run, const audit::EventId& now);

// Fills severity, events and id from what the finding holds by now. False: no finding (an expected run).
bool conclude(const Node& node, std::string_view kind, Finding& finding);

// Whether another child of the same parent was born at the same moment and is alive: a pipeline.
bool in_pipeline(const Node& node, const host::Process& process, std::int64_t time_ms);

} // namespace luatrail::detect
