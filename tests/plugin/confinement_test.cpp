// What the plugin and its helpers cannot do any more once they have started, tried from inside: a child of this test
// does what they do at their start, and then all that somebody would do who has taken it over.
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/call_filter.hpp"
#include "plugin/privileges.hpp"
#include "plugin/write_limits.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace luatrail;
using namespace luatrail::plugin;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

struct Place {
    std::string own, others; // directories: its own; one where everybody may write
    pid_t victim = 0;        // a process of root
};

struct Try {
    const char* what;
    std::function<bool(const Place&)> succeeds;
    bool by_path = false; // only Landlock can tell
};

bool opens(const std::string& path, int flags) {
    return ::open(path.c_str(), flags, 0600) >= 0;
}

bool opens2(const std::string& path, std::uint64_t flags) {
    open_how how{};
    how.flags = flags;
    return ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how) >= 0;
}

bool runs_a_program() {
    const char* const argv[] = {"true", nullptr};
    return ::execve("/bin/true", const_cast<char**>(argv), nullptr) == 0 ||
           ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, nullptr, 0) == 0;
}

bool reads_memory(pid_t pid) {
    char byte = 0;
    iovec here{&byte, 1};
    iovec there{&byte, 1};
    return ::process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0;
}

bool changes_memory(pid_t pid) {
    char byte = 0;
    iovec here{&byte, 1};
    iovec there{&byte, 1};
    return ::process_vm_writev(pid, &here, 1, &there, 1, 0) >= 0;
}

std::string memory_of(const Place& at) {
    return "/proc/" + std::to_string(at.victim) + "/mem";
}

const std::vector<Try> tries{
    {"rewriting /etc/passwd", [](const Place&) { return opens("/etc/passwd", O_WRONLY); }},
    {"rewriting /etc/passwd by openat2", [](const Place&) { return opens2("/etc/passwd", O_RDWR); }},
    {"cutting /etc/passwd", [](const Place&) { return ::truncate("/etc/passwd", 1 << 30) == 0; }},
    {"opening /etc/passwd to everybody", [](const Place&) { return ::chmod("/etc/passwd", 0666) == 0; }},
    {"owning /etc/passwd", [](const Place&) { return ::chown("/etc/passwd", 65534, 65534) == 0; }},
    {"a file in /tmp", [](const Place&) { return opens("/tmp/luatrail-confinement", O_WRONLY | O_CREAT); }, true},
    {"a file in /tmp by openat2",
     [](const Place&) { return opens2("/tmp/luatrail-confinement-2", O_WRONLY | O_CREAT); }, true},
    {"a file where everybody may write", [](const Place& at) { return opens(at.others + "/x", O_RDWR | O_CREAT); },
     true},
    {"deleting where everybody may", [](const Place& at) { return ::unlink((at.others + "/there").c_str()) == 0; },
     true},
    {"renaming where everybody may",
     [](const Place& at) { return ::rename((at.others + "/there").c_str(), (at.others + "/gone").c_str()) == 0; },
     true},
    {"a directory", [](const Place& at) { return ::mkdir((at.others + "/directory").c_str(), 0700) == 0; }},
    {"a link", [](const Place& at) { return ::symlink("/etc/passwd", (at.own + "/link").c_str()) == 0; }},
    {"another process's memory, to change", [](const Place& at) { return opens(memory_of(at), O_RDWR); }},
    {"another process's memory, by openat2", [](const Place& at) { return opens2(memory_of(at), O_WRONLY); }},
    {"reading another process's memory", [](const Place& at) { return reads_memory(at.victim); }},
    {"writing another process's memory", [](const Place& at) { return changes_memory(at.victim); }},
    {"tracing another process",
     [](const Place& at) { return ::ptrace(PTRACE_SEIZE, at.victim, nullptr, nullptr) == 0; }},
    {"killing another process", [](const Place& at) { return ::kill(at.victim, SIGKILL) == 0; }},
    {"killing its own group", [](const Place&) { return ::kill(0, SIGCONT) == 0; }},
    {"killing a thread of another process",
     [](const Place& at) { return ::syscall(SYS_tgkill, at.victim, at.victim, SIGKILL) == 0; }},
    {"running a program", [](const Place&) { return runs_a_program(); }},
    {"another process", [](const Place&) { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) > 0; }},
    {"a socket to the network", [](const Place&) { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
    {"a socket to the network, version 6", [](const Place&) { return ::socket(AF_INET6, SOCK_DGRAM, 0) >= 0; }},
    {"a socket to the wire", [](const Place&) { return ::socket(AF_PACKET, SOCK_RAW, 0) >= 0; }},
    {"a socket to the kernel", [](const Place&) { return ::socket(AF_NETLINK, SOCK_RAW, 9) >= 0; }},
    {"memory to execute",
     [](const Place&) {
         return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                MAP_FAILED;
     }},
    {"becoming root", [](const Place&) { return ::setuid(0) == 0 || ::setresuid(0, 0, 0) == 0; }},
    {"leaving its directories", [](const Place&) { return ::chroot("/") == 0 || ::unshare(CLONE_NEWUSER) == 0; }},
    {"a mount", [](const Place&) { return ::mount("none", "/mnt", "tmpfs", 0, nullptr) == 0; }},
    {"a terminal's input", [](const Place&) { return ::syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x") == 0; }},
};

// Shared with the child, which cannot tell otherwise.
struct Report {
    std::array<bool, 64> succeeded{};
    bool own_write = false, read = false, done = false;
    int landlock = 0;
};

Report from_inside(Calls calls, const std::vector<unsigned>& capabilities, const Place& place) {
    auto* const report = static_cast<Report*>(
        ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    new (report) Report;
    const auto child = ::fork();
    if (child == 0) {
        const bool plugin = calls == Calls::plugin;
        const bool limited = !become(Account{"nobody", 65534, 65534}, capabilities);
        if (plugin) {
            report->landlock = limit_writes({{place.own}, {}});
        }
        if (!limited || !filter_calls(calls)) {
            ::_exit(1);
        }
        for (std::size_t at = 0; at < tries.size(); ++at) {
            report->succeeded.at(at) = tries[at].succeeds(place);
        }
        report->own_write = opens(place.own + "/state", O_WRONLY | O_CREAT);
        report->read = opens("/etc/passwd", O_RDONLY);
        report->done = true;
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const auto told = *report;
    ::munmap(report, sizeof(Report));
    return told;
}

void check_all(Calls calls, const std::vector<unsigned>& capabilities, bool writes, bool reads) {
    if (::geteuid() != 0 || sanitized) {
        WARN("only root can give up what root may; sanitizers make calls of their own");
        return;
    }
    const test::TempDir dir;
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
    dir.write("own/x", "");
    dir.write("others/there", "");
    std::filesystem::permissions(dir.path("others"), std::filesystem::perms(0777));
    REQUIRE(::chown(dir.path("own").c_str(), 65534, 65534) == 0);
    Place place{dir.path("own"), dir.path("others"), ::fork()};
    if (place.victim == 0) {
        ::pause();
        ::_exit(0);
    }
    const auto told = from_inside(calls, capabilities, place);
    CHECK(::waitpid(place.victim, nullptr, WNOHANG) == 0); // it lives
    ::kill(place.victim, SIGKILL);
    ::waitpid(place.victim, nullptr, 0);
    REQUIRE(told.done);
    CHECK(told.own_write == writes);
    CHECK(told.read == reads);
    REQUIRE(tries.size() <= told.succeeded.size());
    for (std::size_t at = 0; at < tries.size(); ++at) {
        INFO(tries[at].what);
        if (!tries[at].by_path || told.landlock > 0 || calls != Calls::plugin) {
            CHECK(!told.succeeded.at(at));
        }
    }
    if (calls == Calls::plugin && told.landlock == 0) {
        WARN("this kernel has no Landlock");
    }
    std::filesystem::remove("/tmp/luatrail-confinement");
    std::filesystem::remove("/tmp/luatrail-confinement-2");
}

} // namespace

TEST_CASE("from inside the plugin nothing is to be had") {
    check_all(Calls::plugin, {}, true, true);
}

TEST_CASE("from inside the helper that looks nothing is changed") {
    check_all(Calls::look_ups, {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE}, false, true);
}

TEST_CASE("from inside the helper that asks the kernel no file is opened") {
    check_all(Calls::kernel_state, {CAP_AUDIT_CONTROL}, false, false);
}

TEST_CASE("root stays root knowingly, or where there is no such user") {
    CHECK(!choose_account("root").account);
    CHECK(choose_account("root").why.empty());
    CHECK(choose_account("").why.empty());
    const auto none = choose_account("no-such-user");
    CHECK(!none.account);
    if (::geteuid() == 0) {
        CHECK_THAT(none.why, has_text("there is no user no-such-user"));
        REQUIRE(choose_account("nobody").account);
        CHECK(choose_account("nobody").account->uid == 65534);
    } else {
        CHECK(none.why.empty());
    }
}
