#include "plugin/call_filter.hpp"

#include <cerrno>
#include <initializer_list>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

namespace luatrail::plugin {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true; // sanitizers make calls of their own
#else
constexpr bool sanitized = false;
#endif

using CallNames = std::initializer_list<const char*>;

// Memory (executable memory apart), signals, time, the process itself.
constexpr CallNames of_every_process{"munmap",
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
                                     "getrandom",
                                     "sched_yield",
                                     "sched_getaffinity",
                                     "exit",
                                     "exit_group",
                                     "poll",
                                     "ppoll",
                                     "recvfrom",
                                     "recvmsg",
                                     "sendto",
                                     "sendmsg",
                                     "read"};

constexpr CallNames to_read_files{"readv",     "pread64",    "fstatfs",    "fstatfs64", "lseek",
                                  "stat",      "stat64",     "lstat",      "lstat64",   "fstat",
                                  "fstat64",   "newfstatat", "fstatat64",  "statx",     "access",
                                  "faccessat", "faccessat2", "getdents64", "readlink",  "readlinkat"};

constexpr CallNames of_the_plugin{
    "write",      "writev",      "close",        "open",           "openat",          "fsync",         "fdatasync",
    "rename",     "renameat",    "renameat2",    "unlink",         "unlinkat",        "flock",         "fcntl",
    "fcntl64",    "dup",         "pipe2",        "getcwd",         "umask",           "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "timerfd_create", "timerfd_settime", "eventfd2",      "connect",
    "getsockopt", "setsockopt",  "getsockname",  "shutdown",       "set_robust_list", "rseq"};

class Filter {
  public:
    Filter() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))), good_(filter_ != nullptr) {
        good_ = good_ && seccomp_attr_set(filter_, SCMP_FLTATR_CTL_LOG, 1) == 0 &&
                seccomp_attr_set(filter_, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
    }
    ~Filter() { seccomp_release(filter_); }
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;

    void allow(const CallNames& names) {
        for (const auto* const name : names) {
            const int call = seccomp_syscall_resolve_name(name);
            good_ = good_ && (call == __NR_SCMP_ERROR || seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 0) == 0);
        }
    }
    void allow_if(const char* name, const scmp_arg_cmp& test) {
        const int call = seccomp_syscall_resolve_name(name);
        good_ =
            good_ && (call == __NR_SCMP_ERROR || seccomp_rule_add_array(filter_, SCMP_ACT_ALLOW, call, 1, &test) == 0);
    }
    // Only where none of these bits is set in the argument.
    void allow_without(const char* name, unsigned argument, scmp_datum_t bits) {
        allow_if(name, {argument, SCMP_CMP_MASKED_EQ, bits, 0});
    }
    void allow_equal(const char* name, unsigned argument, scmp_datum_t value) {
        allow_if(name, {argument, SCMP_CMP_EQ, value, 0});
    }
    bool load() { return good_ && seccomp_load(filter_) == 0; }

  private:
    scmp_filter_ctx filter_;
    bool good_;
};

void add_plugin(Filter& filter) {
    filter.allow(to_read_files);
    filter.allow(of_the_plugin);
    filter.allow_equal("socket", 0, AF_UNIX);
    for (const auto request : {FIONBIO, FIONREAD, TCGETS}) {
        filter.allow_equal("ioctl", 1, request);
    }
    for (const auto* const call : {"prlimit64", "getrlimit"}) {
        filter.allow_equal(call, 0, 0); // its own
    }
}

// What is opened may be read alone (hence no openat2, which hides what it opens for), and there is nothing to write
// with but to standard error, whose number no other file can come to have.
void add_look_ups(Filter& filter) {
    constexpr scmp_datum_t changes = O_ACCMODE | O_CREAT | O_TRUNC;
    filter.allow(to_read_files);
    filter.allow_without("open", 1, changes);
    filter.allow_without("openat", 2, changes);
    filter.allow_if("close", {0, SCMP_CMP_GT, STDERR_FILENO, 0});
    filter.allow_equal("write", 0, STDERR_FILENO);
}

} // namespace

bool filter_calls(Calls whose) {
    if (sanitized) {
        return true;
    }
    Filter filter;
    filter.allow(of_every_process);
    filter.allow_without("mmap", 2, PROT_EXEC);
    filter.allow_without("mmap2", 2, PROT_EXEC);
    filter.allow_without("mprotect", 2, PROT_EXEC);
    filter.allow_equal("tgkill", 0, static_cast<scmp_datum_t>(::getpid())); // abort(3)
    switch (whose) {
    case Calls::plugin:
        add_plugin(filter);
        break;
    case Calls::look_ups:
        add_look_ups(filter);
        break;
    case Calls::kernel_state:
        filter.allow_equal("write", 0, STDERR_FILENO);
        break;
    }
    return filter.load();
}

} // namespace luatrail::plugin
