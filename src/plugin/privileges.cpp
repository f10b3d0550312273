#include "plugin/privileges.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cap-ng.h>
#include <fmt/format.h>
#include <seccomp.h>

#include "luatrail/base/console.hpp"

namespace luatrail::plugin {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true; // sanitizers make calls of their own
#else
constexpr bool sanitized = false;
#endif

constexpr std::array allowed{
    // input, output, files
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "close",
    "open",
    "openat",
    "openat2",
    "fstatfs",
    "fstatfs64",
    "mkdir",
    "mkdirat",
    "lseek",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "flock",
    "fcntl",
    "fcntl64",
    "ioctl",
    "dup",
    "pipe2",
    "stat",
    "stat64",
    "lstat",
    "lstat64",
    "fstat",
    "fstat64",
    "newfstatat",
    "fstatat64",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "getdents64",
    "readlink",
    "readlinkat",
    "getcwd",
    "umask",
    // the loop, its timers, its sockets
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "poll",
    "ppoll",
    "timerfd_create",
    "timerfd_settime",
    "eventfd2",
    "connect",
    "sendto",
    "sendmsg",
    "recvfrom",
    "recvmsg",
    "getsockopt",
    "setsockopt",
    "getsockname",
    "shutdown",
    // memory (executable memory apart), signals, time, itself
    "munmap",
    "mremap",
    "brk",
    "madvise",
    "futex",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "sigreturn",
    "restart_syscall",
    "clock_gettime",
    "clock_gettime64",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "uname",
    "sysinfo",
    "prlimit64",
    "getrlimit",
    "getrandom",
    "sched_yield",
    "sched_getaffinity",
    "tgkill",
    "exit",
    "exit_group",
    "set_robust_list",
    "rseq",
    "kill",
};

bool allow(scmp_filter_ctx filter) {
    for (const auto* const name : allowed) {
        const int call = seccomp_syscall_resolve_name(name);
        if (call != __NR_SCMP_ERROR && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) {
            return false;
        }
    }
    const auto without = [filter](int call, unsigned argument, scmp_datum_t bits) {
        const scmp_arg_cmp test{argument, SCMP_CMP_MASKED_EQ, bits, 0};
        return call == __NR_SCMP_ERROR || seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &test) == 0;
    };
    const scmp_arg_cmp local{0, SCMP_CMP_EQ, AF_UNIX, 0};
    return without(SCMP_SYS(mmap), 2, PROT_EXEC) && without(SCMP_SYS(mmap2), 2, PROT_EXEC) &&
           without(SCMP_SYS(mprotect), 2, PROT_EXEC) &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &local) == 0;
}

} // namespace

void drop_capabilities(const Needs& needs) {
    if (::geteuid() == 0) { // an ordinary user has none
        capng_clear(CAPNG_SELECT_ALL);
        constexpr auto kept = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
        if (needs.look_ups) {
            capng_updatev(CAPNG_ADD, kept, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, -1);
        }
        if (needs.kernel_state) {
            capng_update(CAPNG_ADD, kept, CAP_AUDIT_CONTROL);
        }
        if (capng_apply(CAPNG_SELECT_ALL) != 0) {
            base::say(fmt::format("capabilities could not be given up: {}", std::strerror(errno)));
        }
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        base::say(fmt::format("no_new_privs could not be set: {}", std::strerror(errno)));
    }
}

void filter_calls() {
    if (sanitized) {
        return;
    }
    const auto filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    const bool done = filter != nullptr && seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1) == 0 &&
                      seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 && allow(filter) &&
                      seccomp_load(filter) == 0;
    if (!done) {
        base::say("the filter of system calls could not be set up; the plugin runs without one");
    }
    seccomp_release(filter);
}

} // namespace luatrail::plugin
