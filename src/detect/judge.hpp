// From one exec of an interpreter to a finding: who ran what, in which tree, expected or not.
#pragma once

#include <optional>
#include <string>

#include "detect/identify.hpp"
#include "detect/node.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/detect/invocation.hpp"

namespace luatrail::detect {

// An exec that runs Lua code, and what was found out about it.
struct Invoked {
    const audit::TypedEvent* event = nullptr;
    host::ProcessRef process;
    ProfileSet::Match interpreter;
    Invocation invocation;
    std::optional<std::string> script_name; // absolute, as the interpreter got it
    std::optional<std::string> script_path; // the same without the links to directories that are known
    std::optional<host::FileId> script;     // by the exec's own PATH item (a #! script)
    bool path_uncertain = false;
    std::optional<std::string> copy_of; // of a copied interpreter: what was copied
    std::optional<Copying> copying;     // and who did it, where its own exec shows that
    bool copied_by_reader = false;      // who wrote it had read what it is a copy of
    bool copied_by_user = false;        // the same user at least
    bool input_unknown = false;         // standard input: a terminal, or something else
};

// What its arguments make of it.
Invoked invoke(const audit::TypedEvent& event, host::ProcessRef process, Identified identified);

// The finding without its severity: who ran what, in which tree, expected or not.
Finding describe(const Node& node, const Invoked& run, const EngineOptions& options);

// Of a program that is none that is known, and that no file holds, or somebody brought within the window, or no package
// owns (of these, each file once): the finding, if it should turn out to be an interpreter by its content.
std::optional<Finding> describe_unknown(Node& node, const audit::TypedEvent& event, host::ProcessRef process,
                                        const EngineOptions& options);

// What its standard input may be, where it reads code from there: a pipe, a terminal, or nobody knows.
void resolve_input(const Node& node, Invoked& run);

// `env LUA_INIT=CODE lua`: the assignment that is a word of the program which the run's process was before. Nothing:
// there is none, or the run does not heed it (-E).
std::optional<std::string> assigned_before(const Node& node, const Invoked& run);

// The finding of a run that a variable of its environment gave other code first, without its severity.
Finding environment_finding(const Node& node, const Finding& run, std::string_view assignment,
                            const EngineOptions& options);

} // namespace luatrail::detect
