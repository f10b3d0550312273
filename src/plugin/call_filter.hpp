// The system calls that the plugin and its helpers allow themselves. Any other fails with EPERM and is logged (audit
// record SECCOMP, and the kernel's log).
#pragma once

#include <cstdint>

namespace luatrail::plugin {

enum class Calls : std::uint8_t {
    plugin,      // files, the loop, local sockets
    look_ups,    // files to read; writes to standard error alone
    kernel_state // its two sockets
};

// Of all threads, for good. No list has exec, kill, ptrace or a way to another process's memory; none makes memory
// executable. Returns false where there is no filter now.
bool filter_calls(Calls whose);

} // namespace luatrail::plugin
