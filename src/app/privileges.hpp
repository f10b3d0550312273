// What the plugin gives up once it has started.
#pragma once

namespace luatrail::app {

// Capabilities beyond those it uses, new privileges by exec, and, with `seccomp`, every system call that it does not
// use: such a call fails with EPERM and is logged (audit record SECCOMP, and the kernel's log). Memory can no longer be
// made executable. Says on standard error what could not be given up; never throws.
void give_up_privileges(bool seccomp);

} // namespace luatrail::app
