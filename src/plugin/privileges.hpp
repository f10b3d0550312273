// What the plugin gives up once it has started. Both say on standard error what could not be given up; neither throws.
#pragma once

namespace luatrail::plugin {

struct Needs {
    bool look_ups = false;     // other users' files and processes: CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE
    bool kernel_state = false; // the kernel's audit state: CAP_AUDIT_CONTROL
};

// Capabilities beyond those it needs, and new privileges by exec. Before any thread is started, for each has its own.
void drop_capabilities(const Needs& needs);

// Every system call that it does not use, of all threads: such a call fails with EPERM and is logged (audit record
// SECCOMP, and the kernel's log). Memory can no longer be made executable.
void filter_calls();

} // namespace luatrail::plugin
