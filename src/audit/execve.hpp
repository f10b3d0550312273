// The command line of an exec.
#pragma once

#include "luatrail/audit/event.hpp"
#include "luatrail/audit/typed.hpp"

namespace luatrail::audit {

// From the EXECVE records. `execve` is empty before.
void read_execve(const Event& event, Execve& execve);

// Where rules leave EXECVE out or its records were lost: the first 128 bytes of the new image's command line, its words
// ended by NULs (audit_log_proctitle).
void read_proctitle(const Event& event, Execve& execve);

} // namespace luatrail::audit
