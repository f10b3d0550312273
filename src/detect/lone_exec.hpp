// An exec whose SYSCALL record is missing, or was cut before the pid: a relay dropped it, a filter leaves the type out,
// a line was damaged. EXECVE and PATH still say what ran, though neither who ran it nor in which process. The kernel
// writes EXECVE only for an exec that succeeded (fs/exec.c, exec_binprm).
#pragma once

#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

bool lacks_its_process(const audit::TypedEvent& event);

// The event with the program that its other records show as the one that was executed. Its views are the event's.
audit::TypedEvent with_its_program(const audit::TypedEvent& event, Programs& programs, const ProfileSet& profiles);

} // namespace luatrail::detect
