// Who read an interpreter as a file: what they write may be a copy of it.
#pragma once

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

// Notes that a program read an interpreter as a file: what it, those below it and those beside it write from then on
// may be a copy. Returns the interpreter's profile; null: it is none.
const Profile* note_reading(Node& node, const audit::TypedEvent& event, host::ProcessRef who, Programs& programs,
                            const EngineOptions& options);

// The reading that a file may be a copy by; null: none.
const Copying* copied_by_reader(const Node& node, const host::File& file, const ProfileSet& profiles);

// Where so many processes read interpreters that some had to be forgotten: the reading of a user who wrote the file
// near that time; null: none. Any program of that user may be the copy, for there is no reason to read one that often.
const Copying* copied_by_user(const Node& node, const host::File& file, const ProfileSet& profiles);

} // namespace luatrail::detect
