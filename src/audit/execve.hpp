// The command line of an exec.
#pragma once

#include "luatrail/audit/event.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/audit/writing.hpp"

namespace luatrail::audit {

// From the EXECVE records. `execve` is empty before.
void read_execve(const Event& event, Writing& writing, Execve& execve);

// Where rules leave EXECVE out or its records were lost: the first 128 bytes of the new image's command line, its words
// ended by NULs (audit_log_proctitle).
void read_title(std::string_view body, Execve& execve);

// Words that a relay cut, or left out, are taken from the same event's PROCTITLE where that has them whole.
void complete_by_title(std::string_view body, Execve& execve);

} // namespace luatrail::audit
