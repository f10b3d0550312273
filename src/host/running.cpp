#include "luatrail/host/running.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <unordered_map>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/words.hpp"

namespace luatrail::host {
namespace {

constexpr std::size_t most_bytes = 16UL * 1024; // of a command line
constexpr std::size_t most_stat_bytes =
    1024UL * 1024; // of /proc/stat: its interrupts are a long line on large machines

// What there was up to an error counts: the process may end meanwhile.
std::string read_file(const std::string& path, std::size_t most = most_bytes) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return {};
    }
    std::string text(most, '\0');
    std::size_t used = 0;
    for (;;) {
        const auto size = ::read(descriptor, text.data() + used, text.size() - used);
        if (size <= 0) {
            break;
        }
        used += static_cast<std::size_t>(size);
    }
    ::close(descriptor);
    text.resize(used);
    return text;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// auid and ses as audit writes them: 4294967295 is unset, and no value here.
std::optional<std::uint32_t> id_of(const std::string& path) {
    const auto number = number_of<std::uint32_t>(read_file(path));
    return number == UINT32_MAX ? std::nullopt : number;
}

// "btime 1795572010": when the host was booted, in seconds.
std::int64_t boot_ms(const std::string& proc) {
    const auto stat = read_file(proc + "/stat", most_stat_bytes);
    for (const auto line : base::lines(stat)) {
        if (line.starts_with("btime ")) {
            return number_of<std::int64_t>(line.substr(6)).value_or(0) * 1000;
        }
    }
    return 0;
}

// Real and effective user: "Uid:\t1000\t1000\t1000\t1000".
void read_users(std::string_view status, RunningProcess& process) {
    for (const auto line : base::lines(status)) {
        if (line.starts_with("Uid:\t")) {
            const auto ids = base::fields(line.substr(5), '\t');
            process.uid = ids.empty() ? std::nullopt : number_of<std::uint32_t>(ids[0]);
            process.euid = ids.size() < 2 ? std::nullopt : number_of<std::uint32_t>(ids[1]);
        }
    }
}

// /proc/PID/stat (proc(5)): "PID (COMM) STATE PPID ..."; COMM may hold blanks and parentheses, so from its end.
bool read_stat(std::string_view stat, std::int64_t booted_ms, RunningProcess& process) {
    const auto open = stat.find('(');
    const auto close = stat.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open || close + 2 > stat.size()) {
        return false;
    }
    constexpr std::size_t ppid_field = 1;
    constexpr std::size_t start_field = 19;
    const auto fields = base::fields(stat.substr(close + 2), ' ');
    if (fields.size() <= start_field || fields[0] == "Z") {
        return false;
    }
    process.comm = std::string(stat.substr(open + 1, close - open - 1));
    process.ppid = number_of<std::uint32_t>(fields[ppid_field]).value_or(0);
    const auto ticks = number_of<std::int64_t>(fields[start_field]).value_or(0);
    process.started_ms = booted_ms + ticks * 1000 / std::max(::sysconf(_SC_CLK_TCK), 1L);
    return true;
}

std::optional<RunningProcess> read_process(const std::string& directory, std::uint32_t pid, std::int64_t booted_ms) {
    RunningProcess process;
    process.pid = pid;
    if (!read_stat(read_file(directory + "/stat"), booted_ms, process)) {
        return std::nullopt;
    }
    std::array<char, 4096> exe{};
    if (const auto size = ::readlink((directory + "/exe").c_str(), exe.data(), exe.size()); size > 0) {
        process.exe = std::string(exe.data(), static_cast<std::size_t>(size));
    } else {
        return std::nullopt; // a kernel thread, or none that we may look at
    }
    const auto arguments = read_file(directory + "/cmdline");
    for (const auto word : base::lines(arguments, '\0')) {
        process.argv.emplace_back(word);
    }
    read_users(read_file(directory + "/status"), process);
    process.auid = id_of(directory + "/loginuid");
    process.session = id_of(directory + "/sessionid");
    return process;
}

} // namespace

std::vector<RunningProcess> running_processes(const std::string& proc) {
    std::vector<RunningProcess> running;
    const auto booted_ms = boot_ms(proc);
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc.c_str()), &::closedir);
    while (const auto* const entry = directory ? ::readdir(directory.get()) : nullptr) {
        if (const auto pid = number_of<std::uint32_t>(entry->d_name)) {
            if (auto process = read_process(fmt::format("{}/{}", proc, *pid), *pid, booted_ms)) {
                running.push_back(std::move(*process));
            }
        }
    }
    // A parent is older than its child, or as old by the clock's grain.
    std::stable_sort(running.begin(), running.end(), [](const RunningProcess& a, const RunningProcess& b) {
        return a.started_ms != b.started_ms ? a.started_ms < b.started_ms : a.pid < b.pid;
    });
    return running;
}

std::optional<RunningProcess> running_process(std::uint32_t pid, const std::string& proc) {
    return read_process(fmt::format("{}/{}", proc, pid), pid, boot_ms(proc));
}

void seed(ProcessTable& table, const std::vector<RunningProcess>& running, const audit::EventId& now) {
    std::unordered_map<std::uint32_t, const RunningProcess*> by_pid;
    for (const auto& process : running) {
        by_pid.emplace(process.pid, &process);
    }
    table.reconcile(
        [&](std::uint32_t pid) {
            const auto found = by_pid.find(pid);
            if (found == by_pid.end()) {
                return false;
            }
            // Another process by that pid: it began after the one that is known was last seen.
            const auto* known = table.find(pid);
            return known == nullptr || found->second->started_ms <= known->last_seen_ms + 1000;
        },
        now);
    audit::TypedEvent exec; // as if it had been logged
    for (const auto& process : running) {
        if (const auto* known = table.find(process.pid); known != nullptr && known->exe == process.exe) {
            continue; // the log said more
        }
        exec.id = {process.started_ms, 0};
        exec.has_syscall = true;
        exec.syscall.credentials() = process.credentials();
        exec.syscall.pid = process.pid;
        exec.syscall.ppid = process.ppid;
        exec.syscall.exe = process.exe;
        exec.syscall.comm = process.comm;
        exec.execve.argv = process.argv;
        table.execed(exec);
    }
}

} // namespace luatrail::host
