// Feeds a plugin as auditd does, at a given rate, and takes what it sends to syslog.
//
// Usage: feed RATE SECONDS SOCKET COMMAND...
//
// RATE execs a second, each with the eight records that an exec under the full rules has, on a socket that is COMMAND's
// standard input; twenty times a second one of them is a script that was dropped just before and is run by Lua. SOCKET
// is made: a datagram socket in the place of /dev/log. Prints one line of JSON: what was fed, how many findings came,
// the latency from the writing of a run's records to the arrival of its finding, and what the command took of the
// processor and of memory.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace {

using Clock = std::chrono::system_clock;
using std::chrono::microseconds;

constexpr double runs_a_second = 20;
constexpr const char* ids =
    "auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=3";
constexpr const char* names =
    "AUID=\"me\" UID=\"me\" GID=\"me\" EUID=\"me\" SUID=\"me\" FSUID=\"me\" EGID=\"me\" SGID=\"me\" FSGID=\"me\"";

std::int64_t now_us() {
    return std::chrono::duration_cast<microseconds>(Clock::now().time_since_epoch()).count();
}

std::string stamp(std::uint64_t serial) {
    const auto ms = now_us() / 1000;
    return fmt::format("audit({}.{:03}:{})", ms / 1000, ms % 1000, serial);
}

void exec_event(std::string& out, std::uint64_t serial, unsigned pid, std::string_view program,
                std::string_view argument) {
    const auto at = stamp(serial);
    const auto base = program.substr(program.rfind('/') + 1);
    out += fmt::format("type=SYSCALL msg={}: arch=c000003e syscall=59 success=yes exit=0 a0=55b87561feb0 "
                       "a1=55b875620ac0 a2=55b875616f00 "
                       "a3=a296beac33eb63a items=2 ppid=4000 pid={} {} comm=\"{}\" exe=\"{}\" key=\"luatrail-exec\"\x1d"
                       "ARCH=x86_64 SYSCALL=execve {}\n",
                       at, pid, ids, base, program, names);
    out += fmt::format("type=EXECVE msg={}: argc=2 a0=\"{}\" a1=\"{}\"\n", at, base, argument);
    out += fmt::format("type=CWD msg={}: cwd=\"/home/me\"\n", at);
    out += fmt::format("type=PATH msg={}: item=0 name=\"{}\" inode=247777 dev=fe:00 mode=0100755 ouid=0 ogid=0 "
                       "rdev=00:00 nametype=NORMAL "
                       "cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID=\"root\" OGID=\"root\"\n",
                       at, program);
    out += fmt::format("type=PATH msg={}: item=1 name=\"/lib64/ld-linux-x86-64.so.2\" inode=332383 dev=fe:00 "
                       "mode=0100755 ouid=0 ogid=0 "
                       "rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 "
                       "cap_frootid=0\x1dOUID=\"root\" OGID=\"root\"\n",
                       at);
    out += fmt::format("type=PROCTITLE msg={}: proctitle=6D6B646972002D70002F6465762F73686D2F2E6361636865\n", at);
    out += fmt::format("type=EOE msg={}: \n", at);
}

void drop_event(std::string& out, std::uint64_t serial, unsigned pid, std::string_view path, std::uint64_t inode) {
    const auto at = stamp(serial);
    out += fmt::format("type=SYSCALL msg={}: arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=55b87561cea0 "
                       "a2=241 a3=1b6 items=2 "
                       "ppid=4000 pid={} {} comm=\"bash\" exe=\"/usr/bin/bash\" key=\"luatrail-file\"\x1d"
                       "ARCH=x86_64 SYSCALL=openat {}\n",
                       at, pid, ids, names);
    out += fmt::format("type=CWD msg={}: cwd=\"/home/me\"\n", at);
    out += fmt::format("type=PATH msg={}: item=0 name=\"/tmp/\" inode=2 dev=00:1b mode=041777 ouid=0 ogid=0 rdev=00:00 "
                       "nametype=PARENT "
                       "cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID=\"root\" OGID=\"root\"\n",
                       at);
    out += fmt::format("type=PATH msg={}: item=1 name=\"{}\" inode={} dev=00:1b mode=0100644 ouid=1000 ogid=1000 "
                       "rdev=00:00 nametype=CREATE "
                       "cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID=\"me\" OGID=\"me\"\n",
                       at, path, inode);
    out += fmt::format("type=PROCTITLE msg={}: proctitle=\"bash\"\n", at);
    out += fmt::format("type=EOE msg={}: \n", at);
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = ::write(fd, bytes.data(), bytes.size());
        if (size <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

int receiver(const char* path) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    ::unlink(path);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        std::perror(path);
        std::exit(2);
    }
    return fd;
}

// The serial of a finding's first event: "events":["1795572010.666:108286".
std::uint64_t serial_of(std::string_view message) {
    const auto at = message.find("\"events\":[\"");
    const auto colon = at == std::string_view::npos ? at : message.find(':', at + 11);
    return colon == std::string_view::npos ? 0 : std::strtoull(message.data() + colon + 1, nullptr, 10);
}

double percentile(const std::vector<double>& sorted, double share) {
    return sorted.empty() ? -1
                          : sorted[std::min(sorted.size() - 1,
                                            static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fputs("usage: feed RATE SECONDS SOCKET COMMAND...\n", stderr);
        return 2;
    }
    const double rate = std::atof(argv[1]);
    const double seconds = std::atof(argv[2]);
    const int from_plugin = receiver(argv[3]);
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        std::perror("socketpair");
        return 2;
    }
    const auto child = ::fork();
    if (child == 0) {
        ::dup2(pair[1], STDIN_FILENO);
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        ::execvp(argv[4], argv + 4);
        std::perror(argv[4]);
        ::_exit(127);
    }
    ::close(pair[1]);
    std::this_thread::sleep_for(std::chrono::seconds(1)); // it starts

    std::vector<std::int64_t> written_us; // by serial
    written_us.resize(static_cast<std::size_t>(2 * rate * seconds + 1000));
    std::vector<double> latency_ms;
    std::atomic<bool> done = false;
    std::thread reader([&] {
        std::vector<char> message(65536);
        timeval patience{0, 100'000};
        ::setsockopt(from_plugin, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        for (bool last = false; !last;) {
            last = done;
            ssize_t size = 0;
            while ((size = ::recv(from_plugin, message.data(), message.size() - 1, 0)) > 0) {
                message[static_cast<std::size_t>(size)] = '\0';
                const auto serial = serial_of({message.data(), static_cast<std::size_t>(size)});
                if (serial > 0 && serial < written_us.size()) {
                    latency_ms.push_back(static_cast<double>(now_us() - written_us[serial]) / 1000);
                }
            }
        }
    });

    const auto began = std::chrono::steady_clock::now();
    std::uint64_t serial = 0;
    std::uint64_t execs = 0;
    std::uint64_t runs = 0;
    double blocked = 0;
    std::string out;
    for (;;) {
        const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        if (elapsed >= seconds) {
            break;
        }
        out.clear();
        for (const auto due = static_cast<std::uint64_t>(elapsed * rate); execs < due && out.size() < 65536; ++execs) {
            const auto pid = static_cast<unsigned>(5000 + execs % 50'000);
            if (static_cast<double>(runs) < elapsed * std::min(runs_a_second, rate / 5)) {
                const auto path = fmt::format("/tmp/dropped-{}.lua", runs++);
                drop_event(out, ++serial, 4000, path, 1'000'000 + runs);
                written_us[++serial] = now_us();
                exec_event(out, serial, pid, "/usr/bin/lua5.4", path);
            } else {
                exec_event(out, ++serial, pid, "/usr/bin/mkdir", "/home/me/x");
            }
        }
        if (out.empty()) {
            std::this_thread::sleep_for(microseconds(500));
            continue;
        }
        const auto before = std::chrono::steady_clock::now();
        if (!write_all(pair[0], out)) {
            std::fputs("feed: the command does not read any more\n", stderr);
            break;
        }
        blocked += std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    }
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    ::close(pair[0]);
    rusage usage{};
    int status = 0;
    ::wait4(child, &status, 0, &usage);
    done = true;
    reader.join();
    std::sort(latency_ms.begin(), latency_ms.end());
    const auto cpu = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    fmt::print("{{\"rate\":{},\"execs\":{},\"execs_a_second\":{:.0f},\"write_share\":{:.3f},\"runs\":{},\"findings\":{}"
               ",\"p50_ms\":{:.2f},"
               "\"p99_ms\":{:.2f},\"max_ms\":{:.2f},\"cpu_s\":{:.2f},\"cpu_share\":{:.4f},\"peak_mib\":{:.1f},"
               "\"status\":{}}}\n",
               rate, execs, static_cast<double>(execs) / took, blocked / took, runs, latency_ms.size(),
               percentile(latency_ms, 0.5), percentile(latency_ms, 0.99), latency_ms.empty() ? -1 : latency_ms.back(),
               cpu(usage.ru_utime) + cpu(usage.ru_stime), (cpu(usage.ru_utime) + cpu(usage.ru_stime)) / took,
               static_cast<double>(usage.ru_maxrss) / 1024, status);
    return 0;
}
