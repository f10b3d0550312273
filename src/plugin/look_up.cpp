#include "plugin/look_up.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/descriptor.hpp"
#include "luatrail/base/elf.hpp"
#include "luatrail/base/file.hpp"
#include "luatrail/base/kernel_path.hpp"
#include "luatrail/host/running.hpp"
#include "luatrail/inventory/inventory.hpp"
#include "plugin/control_group.hpp"
#include "plugin/lua_signs.hpp"
#include "plugin/safe_file.hpp"

namespace luatrail::plugin {
namespace {

using base::Descriptor;

constexpr std::int64_t start_grain_ms = 1500; // of a process's start, known in whole seconds of boot and ticks
constexpr std::int64_t clock_grain_ms = 10;   // of a file's time
constexpr std::size_t most_environ = 256UL * 1024;

void note(std::optional<std::string>& notes, std::string_view text) {
    notes = notes ? fmt::format("{}; {}", *notes, text) : std::string(text);
}

bool same_program(const std::optional<std::string>& a, const std::optional<std::string>& b) {
    return a && b && base::without_deleted(*a) == base::without_deleted(*b);
}

std::string read_text(const std::string& path, std::size_t most) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return file.get() < 0 ? std::string() : base::read_all(file.get(), most).value_or("");
}

// "/dev/fd/63", "/proc/self/fd/63", "/dev/stdin": which descriptor of the process that is.
std::optional<int> descriptor_of(const AskedRun& code) {
    if (code.origin == detect::Origin::stdin_code || code.argument == "/dev/stdin") {
        return 0;
    }
    if (code.origin != detect::Origin::descriptor || !code.argument) {
        return std::nullopt;
    }
    const auto slash = code.argument->rfind("fd/");
    int number = 0;
    const auto* const first = code.argument->data() + (slash == std::string::npos ? 0 : slash + 3);
    const auto* const last = code.argument->data() + code.argument->size();
    const auto [end, error] = std::from_chars(first, last, number);
    return slash != std::string::npos && error == std::errc{} && end == last && number >= 0 ? std::optional(number)
                                                                                            : std::nullopt;
}

// Lua skips a first line that begins with '#' (lauxlib.c, skipcomment).
std::string_view behind_comment(std::string_view bytes) {
    if (!bytes.starts_with('#')) {
        return bytes;
    }
    const auto end = bytes.find('\n');
    return end == std::string_view::npos ? std::string_view() : bytes.substr(end + 1);
}

void describe_code(std::string_view head, detect::FileEvidence& file, std::optional<std::string>& format) {
    file.bytecode = bytecode_of(behind_comment(head));
    if (file.bytecode) {
        format = "bytecode";
    } else if (head.find('\0') == std::string_view::npos) {
        format = "text";
        file.first_line = std::string(head.substr(0, std::min(head.find('\n'), most_first_line)));
    }
}

std::string_view last_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

std::optional<std::string> lua_in_file(const std::string& path) {
    constexpr std::size_t most_program = 16UL * 1024 * 1024;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
        return std::nullopt;
    }
    const auto program = base::read_all(file.get(), most_program).value_or("");
    if (auto version = lua_version_in(program)) {
        return version;
    }
    for (auto& library : base::needed_libraries(file.get()).value_or(std::vector<std::string>{})) {
        if (inventory::is_lua_library(library)) {
            return std::move(library);
        }
    }
    return lua_machine_in(program);
}

bool is_terminal(const std::string& descriptor) {
    std::array<char, 64> target{};
    const auto size = ::readlink(descriptor.c_str(), target.data(), target.size());
    const std::string_view name(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return name.starts_with("/dev/pts/") || name.starts_with("/dev/tty") || name == "/dev/console";
}

// Whether one of its words ends as the path does.
bool names(const host::RunningProcess& process, std::string_view path) {
    return std::any_of(process.argv.begin(), process.argv.end(),
                       [path](std::string_view word) { return last_of(word) == last_of(path); });
}

} // namespace

struct LookUps::Impl {
    using Running = std::optional<host::RunningProcess>;
    std::string proc;
    Digests digests;

    Seen look(const AskedRun& run);
    Running running(const AskedRun& run, std::optional<std::string>& why_not) const;
    void place(std::uint32_t pid, Seen& seen) const;
    void place_by_ancestor(const AskedRun& run, Seen& seen) const;
    void interpreter(const AskedRun& run, bool runs, Seen& seen);
    void script(const AskedRun& run, const Running& process, Seen& seen);
    std::string of(std::uint32_t pid, std::string_view name) const { return fmt::format("{}/{}/{}", proc, pid, name); }
};

LookUps::Impl::Running LookUps::Impl::running(const AskedRun& run, std::optional<std::string>& why_not) const {
    auto process = host::running_process(run.pid, proc);
    if (!process || process->started_ms > run.time_ms + start_grain_ms) {
        note(why_not, "the process has ended");
        return std::nullopt;
    }
    if (!same_program(process->exe, run.exe)) {
        note(why_not, "the process now runs another program");
        return std::nullopt;
    }
    return process;
}

void LookUps::Impl::place(std::uint32_t pid, Seen& seen) const {
    constexpr std::size_t most_bytes = 16UL * 1024;
    auto group = parse_cgroup(read_text(of(pid, "cgroup"), most_bytes));
    seen.unit = std::move(group.unit);
    seen.container = std::move(group.container);
}

// A process is born into its parent's groups.
void LookUps::Impl::place_by_ancestor(const AskedRun& run, Seen& seen) const {
    for (const auto& ancestor : run.above) {
        const auto process = host::running_process(ancestor.pid, proc);
        if (process && process->started_ms <= run.time_ms + start_grain_ms &&
            same_program(process->exe, ancestor.exe)) {
            place(ancestor.pid, seen);
            if (seen.unit || seen.container) {
                note(seen.evidence.note, fmt::format("unit and container are those of its ancestor {}", ancestor.pid));
            }
            return;
        }
    }
}

void LookUps::Impl::interpreter(const AskedRun& run, bool runs, Seen& seen) {
    auto& file = seen.evidence.interpreter.emplace();
    file.path = runs ? of(run.pid, "exe") : run.exe;
    if (!file.path || file.path->empty() || file.path->front() != '/' || base::is_memfd(*file.path) ||
        (!runs && base::is_deleted(*file.path))) {
        note(file.note, "the process has ended, and its file has no name");
        return;
    }
    const auto opened = SafeFile::open(*file.path);
    if (!opened.usable() && runs && ::access(file.path->c_str(), F_OK) != 0) { // it has ended meanwhile
        interpreter(run, false, seen);
        return;
    }
    if (!opened.usable()) {
        note(file.note, opened.why());
        return;
    }
    if (!opened.is_program()) {
        note(file.note, "not read: it is no longer a program");
        return;
    }
    opened.digest(digests, file);
}

void LookUps::Impl::script(const AskedRun& run, const Running& process, Seen& seen) {
    const auto number = run.path ? std::nullopt : descriptor_of(run);
    if (!run.path && !number) {
        return; // it has none, or nobody knows where
    }
    auto& file = seen.evidence.script.emplace();
    if (number && !process) {
        note(file.note, "the process has ended, and its descriptors with it");
        return;
    }
    if (number == 0 && is_terminal(of(run.pid, "fd/0"))) {
        seen.terminal = true;
        seen.evidence.script.reset();
        return;
    }
    auto root = process ? of(run.pid, "root") : std::string("/");
    file.path = number ? of(run.pid, fmt::format("fd/{}", *number)) : run.path;
    auto opened = number ? SafeFile::open(*file.path) : SafeFile::open_below(root, *file.path);
    if (!opened.usable() && !number && ::access(root.c_str(), F_OK) != 0) { // it has ended meanwhile
        root = "/";
        opened = SafeFile::open_below(root, *file.path);
    }
    if (!opened.usable()) {
        note(file.note, opened.why());
        return;
    }
    const auto user = process && process->euid ? *process->euid : run.user.value_or(UINT32_MAX);
    if (!number && !opened.readable_by(user, root)) {
        note(file.note, "not read: it is not open to everybody, nor is it the run's user's");
        return;
    }
    if (run.inode && !opened.has_inode(*run.inode)) {
        note(file.note, "another file is there now");
    } else if (opened.modified_ms() > run.time_ms + clock_grain_ms) {
        note(file.note, "it was written again after the run");
    }
    opened.digest(digests, file);
    if (!number && user == 0 && !opened.readable_by(UINT32_MAX, root) && !(process && names(*process, *run.path))) {
        note(file.note, "its first line is root's alone to read");
        return;
    }
    describe_code(opened.head(), file, seen.format);
}

Seen LookUps::Impl::look(const AskedRun& run) {
    Seen seen;
    const auto process = running(run, seen.evidence.note);
    if (process) {
        seen.evidence.environment = lua_variables(read_text(of(run.pid, "environ"), most_environ));
        place(run.pid, seen);
    } else {
        place_by_ancestor(run, seen);
    }
    interpreter(run, process.has_value(), seen);
    script(run, process, seen);
    return seen;
}

LookUps::LookUps(std::string proc) : impl_(std::make_unique<Impl>()) {
    impl_->proc = std::move(proc);
}
LookUps::~LookUps() = default;

Seen LookUps::look(const AskedRun& run) {
    return impl_->look(run);
}

Answered LookUps::answer(const Asked& asked) {
    switch (asked.question) {
    case Question::evidence:
        return {look(asked.run), std::nullopt};
    case Question::init:
        return {std::nullopt, init_of(asked.run)};
    case Question::lua:
        return {std::nullopt, lua_in(asked.run)};
    }
    return {};
}

std::optional<std::string> LookUps::init_of(const AskedRun& run) const {
    std::optional<std::string> why_not;
    return impl_->running(run, why_not) ? init_in(lua_variables(read_text(impl_->of(run.pid, "environ"), most_environ)))
                                        : std::nullopt;
}

std::optional<std::string> LookUps::lua_in(const AskedRun& run) const {
    std::optional<std::string> why_not;
    auto path = impl_->of(run.pid, "exe");
    if (!impl_->running(run, why_not)) {
        path = run.exe.value_or("");
    }
    return path.starts_with('/') && SafeFile::open(path).usable() ? lua_in_file(path) : std::nullopt;
}

} // namespace luatrail::plugin
