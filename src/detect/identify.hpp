// Which execs are those of an interpreter.
#pragma once

#include <optional>
#include <string>

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

// Whether an exec is one of an interpreter, and how that is known. `offset` is where the interpreter's own argv begins:
// not 0 behind a loader, or where it is a script of another interpreter.
struct Identified {
    ProfileSet::Match match;
    std::size_t offset = 0;
    std::optional<std::string> copy_of{};
    std::optional<Copying> copying{};
    bool by_reader = false; // the copy was written by who had read what it is one of
    bool by_user = false;   // or by the same user at least: which process read it had to be forgotten
    std::string others{};   // Copying::others of the copy
};
// By its path; a package that lists it as one; a file that ran as one under another name; ld.so's arguments; a copy, by
// the ledger and the copier's arguments; argv[0], where that is an interpreter's name (`called_one`). Learns which
// files are interpreters.
Identified identify(Node& node, const audit::TypedEvent& event, const Program& program, bool called_one,
                    const EngineOptions& options);

// Notes a program that was asked to copy or fetch an interpreter, or that was told of a copy of one: what it writes may
// be a copy, too.
void note_copying(Node& node, const audit::TypedEvent& event, host::ProcessRef by, const Program& program,
                  const ProfileSet& profiles);

// The other files that a process names which copies `what`, as Copying::others has them.
std::string words_beside(const std::vector<std::string>& argv, std::string_view what);

// Whether a file that was made has the name of one of these others: "id", or rsync's ".id.Xb2c".
bool is_one_beside(const Copying& copying, std::string_view path);

// Remembers that a file is an interpreter, the dynamic loader or a Lua library, whatever name it has.
void learn_file(Node& node, const host::FileId& id, std::string_view profile, std::int64_t now_ms);

// Of an exec the file of the program itself: not the #! script's, not the loader's.
std::optional<host::FileId> id_of_interpreter(const audit::TypedEvent& event);

// The interpreter's own file, as the exec's PATH items name it; null when the ledger knows nothing of it.
const host::File* interpreter_file(const Node& node, const audit::TypedEvent& event);

} // namespace luatrail::detect
