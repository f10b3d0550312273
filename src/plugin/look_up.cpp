#include "plugin/look_up.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/descriptor.hpp"
#include "luatrail/host/running.hpp"
#include "plugin/control_group.hpp"
#include "plugin/lua_signs.hpp"
#include "plugin/safe_file.hpp"

namespace luatrail::plugin {
namespace {

using base::Descriptor;

constexpr std::int64_t start_grain_ms = 1500; // of a process's start, told in whole seconds of boot and ticks
constexpr std::int64_t clock_grain_ms = 10;   // of a file's time
constexpr std::size_t most_environ = 256UL * 1024;

void note(std::optional<std::string>& notes, std::string_view text) {
    notes = notes ? fmt::format("{}; {}", *notes, text) : std::string(text);
}

std::string_view without_deleted(std::string_view exe) {
    constexpr std::string_view suffix = " (deleted)";
    return exe.ends_with(suffix) ? exe.substr(0, exe.size() - suffix.size()) : exe;
}

bool same_program(const std::optional<std::string>& a, const std::optional<std::string>& b) {
    return a && b && without_deleted(*a) == without_deleted(*b);
}

std::string read_text(const std::string& path, std::size_t most) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::string text(most, '\0');
    std::size_t used = 0;
    while (file.get() >= 0 && used < most) {
        const auto size = ::read(file.get(), text.data() + used, most - used);
        if (size <= 0) {
            break;
        }
        used += static_cast<std::size_t>(size);
    }
    text.resize(used);
    return text;
}

// "/dev/fd/63", "/proc/self/fd/63", "/dev/stdin": which descriptor of the process that is.
std::optional<int> descriptor_of(const detect::Code& code) {
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

void describe_code(std::string_view head, detect::FileEvidence& file, detect::Code& code) {
    file.bytecode = bytecode_of(behind_comment(head));
    if (file.bytecode) {
        code.format = "bytecode";
    } else if (head.find('\0') == std::string_view::npos) {
        code.format = "text";
        file.first_line = std::string(head.substr(0, std::min(head.find('\n'), most_first_line)));
    }
}

} // namespace

struct LookUps::Impl {
    std::string proc;
    Digests digests;

    void look(detect::Finding& finding);
    bool runs_still(const detect::Finding& finding, detect::Evidence& evidence) const;
    void place(std::uint32_t pid, detect::ProcessInfo& process) const;
    void place_by_ancestor(detect::Finding& finding, detect::Evidence& evidence) const;
    void interpreter(const detect::Finding& finding, bool runs, detect::Evidence& evidence);
    void script(detect::Finding& finding, bool runs, detect::Evidence& evidence);
    std::string of(std::uint32_t pid, std::string_view name) const { return fmt::format("{}/{}/{}", proc, pid, name); }
};

bool LookUps::Impl::runs_still(const detect::Finding& finding, detect::Evidence& evidence) const {
    const auto process = host::running_process(finding.process.pid, proc);
    if (!process || process->started_ms > finding.time_ms + start_grain_ms) {
        note(evidence.note, "the process has ended");
        return false;
    }
    if (!same_program(process->exe, finding.interpreter.exe)) {
        note(evidence.note, "the process runs another program by now");
        return false;
    }
    return true;
}

void LookUps::Impl::place(std::uint32_t pid, detect::ProcessInfo& process) const {
    constexpr std::size_t most_bytes = 16UL * 1024;
    auto group = parse_cgroup(read_text(of(pid, "cgroup"), most_bytes));
    process.unit = process.unit ? process.unit : std::move(group.unit);
    process.container = process.container ? process.container : std::move(group.container);
}

// A process is born into its parent's groups.
void LookUps::Impl::place_by_ancestor(detect::Finding& finding, detect::Evidence& evidence) const {
    for (const auto& ancestor : finding.ancestors) {
        const auto process = host::running_process(ancestor.pid, proc);
        if (process && process->started_ms <= finding.time_ms + start_grain_ms &&
            same_program(process->exe, ancestor.exe)) {
            place(ancestor.pid, finding.process);
            if (finding.process.unit || finding.process.container) {
                note(evidence.note, fmt::format("unit and container are those of its ancestor {}", ancestor.pid));
            }
            return;
        }
    }
}

void LookUps::Impl::interpreter(const detect::Finding& finding, bool runs, detect::Evidence& evidence) {
    auto& file = evidence.interpreter.emplace();
    file.path = runs ? of(finding.process.pid, "exe") : finding.interpreter.exe;
    if (!file.path || file.path->empty() || file.path->front() != '/' || file.path->starts_with("/memfd:") ||
        (!runs && file.path->ends_with(" (deleted)"))) {
        note(file.note, "the process has ended, and its file has no name");
        return;
    }
    const auto opened = SafeFile::open(*file.path);
    if (!opened.usable()) {
        note(file.note, opened.why());
        return;
    }
    opened.digest(digests, file);
}

void LookUps::Impl::script(detect::Finding& finding, bool runs, detect::Evidence& evidence) {
    auto& code = finding.code;
    const auto number = code.path ? std::nullopt : descriptor_of(code);
    if (!code.path && !number) {
        return; // it has none, or nobody knows where
    }
    auto& file = evidence.script.emplace();
    if (number && !runs) {
        note(file.note, "the process has ended, and its descriptors with it");
        return;
    }
    const auto root = runs ? of(finding.process.pid, "root") : std::string("/");
    file.path = number ? of(finding.process.pid, fmt::format("fd/{}", *number)) : code.path;
    const auto opened = number ? SafeFile::open(*file.path) : SafeFile::open_below(root, *file.path);
    if (!opened.usable()) {
        note(file.note, opened.why());
        return;
    }
    const auto user = finding.process.euid ? finding.process.euid : finding.process.uid;
    if (!number && !opened.readable_by(user.value_or(UINT32_MAX), root)) {
        note(file.note, "not read: it is not open to everybody, nor is it the run's user's");
        return;
    }
    if (code.inode && !opened.has_inode(*code.inode)) {
        note(file.note, "another file lies there by now");
    } else if (opened.modified_ms() > finding.time_ms + clock_grain_ms) {
        note(file.note, "it was written again after the run");
    }
    opened.digest(digests, file);
    describe_code(opened.head(), file, code);
}

void LookUps::Impl::look(detect::Finding& finding) {
    detect::Evidence evidence;
    const bool runs = runs_still(finding, evidence);
    if (runs) {
        evidence.environment = lua_variables(read_text(of(finding.process.pid, "environ"), most_environ));
        place(finding.process.pid, finding.process);
    } else {
        place_by_ancestor(finding, evidence);
    }
    interpreter(finding, runs, evidence);
    script(finding, runs, evidence);
    finding.evidence = std::move(evidence);
}

LookUps::LookUps(std::string proc) : impl_(std::make_unique<Impl>()) {
    impl_->proc = std::move(proc);
}
LookUps::~LookUps() = default;

void LookUps::add_to(detect::Finding& finding) {
    impl_->look(finding);
}

std::optional<std::string> LookUps::init_of(const detect::Finding& finding) const {
    detect::Evidence evidence;
    return impl_->runs_still(finding, evidence)
               ? init_in(lua_variables(read_text(impl_->of(finding.process.pid, "environ"), most_environ)))
               : std::nullopt;
}

std::optional<std::string> LookUps::lua_in(const detect::Finding& finding) const {
    constexpr std::size_t most_program = 16UL * 1024 * 1024;
    detect::Evidence evidence;
    const auto path = impl_->of(finding.process.pid, "exe");
    return impl_->runs_still(finding, evidence) && SafeFile::open(path).usable()
               ? lua_version_in(read_text(path, most_program))
               : std::nullopt;
}

} // namespace luatrail::plugin
