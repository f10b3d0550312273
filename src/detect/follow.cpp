#include "detect/follow.hpp"

#include <algorithm>
#include <array>

#include "detect/bounds.hpp"
#include "detect/chain.hpp"
#include "detect/evidence.hpp"
#include "detect/given_data.hpp"
#include "detect/opened_code.hpp"
#include "luatrail/base/glob.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/detect/invocation.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {
namespace {

// A process of an event, with its arguments: not more of them than a reader wants.
Actor actor_of(const audit::TypedEvent& event) {
    constexpr std::size_t most_words = 16;
    constexpr std::size_t word_bytes = 256;
    Actor actor{.pid = event.syscall.pid.value_or(0),
                .exe = event.syscall.exe ? std::optional<std::string>(*event.syscall.exe) : std::nullopt,
                .uid = event.syscall.uid};
    for (const auto& word : event.execve.argv) {
        if (actor.argv.size() < most_words) {
            actor.argv.push_back(word.substr(0, word_bytes));
        }
    }
    return actor;
}

// The change by which a run's own tree brought a program, after the run began.
const host::Change* brought_by(const Node& node, const Run& run, const host::File* file) {
    if (file == nullptr) {
        return nullptr;
    }
    const auto found = std::find_if(file->changes.begin(), file->changes.end(), [&](const host::Change& change) {
        return change.kind != host::ChangeKind::unlink && change.event > run.event &&
               (change.by == run.process || node.processes.is_ancestor(run.process, change.by));
    });
    return found == file->changes.end() ? nullptr : &*found;
}

// The file that an exec's first item names: the program, or the #! script.
const host::File* first_file(const Node& node, const audit::TypedEvent& event) {
    const auto id = event.paths.empty() ? std::nullopt : host::file_id_of(event.paths.front());
    return id ? node.files.find(*id) : nullptr;
}

std::optional<host::FileId> parent_of(const host::FileEvent& file) {
    std::optional<host::FileId> parent;
    for (const auto& item : file.typed->paths) {
        if (item.nametype == audit::PathItem::NameType::parent) {
            parent = host::file_id_of(item);
        }
    }
    return parent;
}

std::optional<std::string> deleted_own_file(const Node& node, const Run& run, const host::FileEvent& file) {
    const auto parent = parent_of(file);
    for (const auto& item : file.typed->paths) {
        if (item.nametype != audit::PathItem::NameType::remove || !item.name) {
            continue;
        }
        auto path = node.files.resolve(*item.name, file.typed->cwd, parent, file.at_cwd).path;
        if ((run.script && host::file_id_of(item) == run.script) || path == run.script_path ||
            path == run.interpreter_path) {
            return path;
        }
    }
    return std::nullopt;
}

// A file that was created, written or moved to where a program is started from.
std::optional<std::string> written_for_later(const Node& node, const host::FileEvent& file,
                                             const ProfileSet& profiles) {
    using Call = audit::Effect;
    if (file.call == Call::unlink || file.call == Call::rmdir || file.call == Call::mkdir) {
        return std::nullopt;
    }
    const auto parent = parent_of(file);
    for (const auto& item : file.typed->paths) {
        const bool target = item.nametype == audit::PathItem::NameType::create ||
                            (item.nametype == audit::PathItem::NameType::normal && file.writes);
        if (!target || !item.name) {
            continue;
        }
        auto path = node.files.resolve(*item.name, file.typed->cwd, parent, file.at_cwd).path;
        if (profiles.is_start_place(path)) {
            return path;
        }
    }
    return std::nullopt;
}

// ptrace(2), linux/ptrace.h: those requests that take a process over or change it. TRACEME and the PEEKs do neither.
bool takes_over(std::uint64_t request) {
    constexpr std::uint64_t poke_text = 4, poke_data = 5, poke_user = 6, set_regs = 13, set_fp_regs = 15, attach = 16,
                            set_fpx_regs = 19, set_regset = 0x4205, seize = 0x4206;
    switch (request) {
    case poke_text:
    case poke_data:
    case poke_user:
    case set_regs:
    case set_fp_regs:
    case attach:
    case set_fpx_regs:
    case set_regset:
    case seize:
        return true;
    default:
        return false;
    }
}

// Of a call that changes another process: its pid.
std::optional<std::uint32_t> victim_of(const audit::Syscall& call) {
    const auto& row = audit::system_call(call.call);
    if (call.success == false || row.arguments.process < 0 ||
        (row.effect == audit::Effect::trace && !takes_over(call.a[0]))) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(call.a[row.arguments.process]);
}

// mmap(2), mprotect(2): anonymous executable memory. LuaJIT's own code is written first and made executable after,
// never both at once (lj_mcode.c), so that there only both at once counts.
bool makes_executable(const audit::Syscall& call, bool jit) {
    constexpr std::uint64_t write = 2, exec = 4, anonymous = 0x20;
    if (call.success == false || (call.a[2] & exec) == 0 || (jit && (call.a[2] & write) == 0)) {
        return false;
    }
    const auto effect = audit::effect_of(call.call);
    if (effect == audit::Effect::map) {
        return (call.a[3] & anonymous) != 0;
    }
    return effect == audit::Effect::protect && (call.a[2] & write) != 0;
}

std::optional<std::string> target_text(const Node& node, std::uint32_t pid) {
    const auto* process = node.processes.find(pid);
    return process != nullptr && process->exe ? process->exe : std::nullopt;
}

// How many processes lie between, the lower one counted. Execs of one process are one.
std::uint32_t depth_below(const Node& node, host::ProcessRef process, host::ProcessRef run) {
    constexpr std::uint32_t most = 64;
    std::uint32_t depth = 0;
    for (std::uint32_t steps = 0; process && !(process == run) && steps < most; ++steps) {
        const auto above = node.processes.above(process);
        const auto* lower = node.processes.find(process);
        const auto* upper = node.processes.find(above);
        depth += lower != nullptr && upper != nullptr && lower->pid == upper->pid ? 0 : 1;
        process = above;
    }
    return depth;
}

} // namespace

// The script that a command line names without its place, where the program found it.
static bool is_searched_script(const host::Process& process, const Profile& profile, std::string_view path) {
    if (profile.grammar.searched.empty()) {
        return false;
    }
    const auto places = parse_invocation(profile, {.argv = process.argv, .missing = {}}).script_elsewhere;
    return std::any_of(places.begin(), places.end(),
                       [path](const std::string& glob) { return base::glob_match(glob, path); });
}

bool is_run_itself(const Node& node, const Run& run, host::ProcessRef who) {
    const auto* process = node.processes.find(who);
    return run.process == who || (process != nullptr && process->exe == run.interpreter_path);
}

bool runs_lua(Node& node, host::ProcessRef who) {
    const auto above = node.runs_above(who);
    return std::any_of(above.begin(), above.end(), [&](const Run* run) { return is_run_itself(node, *run, who); });
}

ChainEntry child_of_run(const Node& node, const audit::TypedEvent& event, host::ProcessRef process,
                        host::ProcessRef run, ChainKind kind) {
    return {.kind = kind,
            .path = event.syscall.exe ? std::optional<std::string>(*event.syscall.exe) : std::nullopt,
            .event = event.id,
            .by = actor_of(event),
            .depth = depth_below(node, process, run)};
}

FollowUps after_exec(Node& node, const audit::TypedEvent& event, host::ProcessRef process, const Program& program) {
    FollowUps made;
    if (node.runs.empty() || !event.syscall.exe) {
        return made;
    }
    const auto* file = first_file(node, event);
    if (!program.shell && !program.downloader && file == nullptr) {
        return made;
    }
    for (auto* run : node.runs_above(process)) {
        if (run->process == process) {
            continue;
        }
        if (program.shell) {
            made.push_back({run, child_of_run(node, event, process, run->process, ChainKind::child_shell)});
        }
        if (program.downloader) {
            made.push_back({run, child_of_run(node, event, process, run->process, ChainKind::download)});
        }
        if (const auto* change = brought_by(node, *run, file)) {
            made.push_back({run, child_of_run(node, event, process, run->process, ChainKind::second_stage)});
            made.back().entry.path = change->path;
        }
    }
    return made;
}

FollowUps after_connect(Node& node, const audit::TypedEvent& event, host::ProcessRef who) {
    FollowUps made;
    for (auto* run : node.runs_above(who)) {
        made.push_back(
            {run, {.kind = ChainKind::network, .path = event.peer, .event = event.id, .by = actor_of(event)}});
    }
    return made;
}

FollowUps after_memory_call(Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                            const EngineOptions& options) {
    FollowUps made;
    if (node.runs.empty()) {
        return made;
    }
    const auto victim = victim_of(event.syscall);
    const auto* process = node.processes.find(who);
    const auto* profile = process == nullptr ? nullptr : profile_of(*process, options.profiles);
    const bool itself = profile != nullptr && profile->writes_code;
    for (auto* run : node.runs_above(who)) {
        if (!is_run_itself(node, *run, who)) {
            continue;
        }
        if (makes_executable(event.syscall, run->jit) && !itself) {
            made.push_back(
                {run, {.kind = ChainKind::exec_memory, .path = {}, .event = event.id, .by = actor_of(event)}});
        }
        if (victim && *victim != run->pid) {
            made.push_back({run,
                            {.kind = ChainKind::injection,
                             .path = target_text(node, *victim),
                             .event = event.id,
                             .by = actor_of(event)}});
        }
    }
    if (victim) {
        for (auto& run : node.runs) { // the run is the victim
            const auto* of_run = node.processes.find(run.process);
            // A debugger that started the run itself.
            const bool debugged = of_run != nullptr && of_run->ppid == event.syscall.pid && process != nullptr &&
                                  process->exe && node.files.find(*process->exe) == nullptr &&
                                  options.profiles.is(ProgramKind::debugger, *process->exe);
            if (run.pid == *victim && node.processes.current(run.pid) == run.process && run.process != who &&
                !debugged) {
                made.push_back({&run,
                                {.kind = ChainKind::injection,
                                 .path = run.interpreter_path,
                                 .event = event.id,
                                 .by = actor_of(event)}});
            }
        }
    }
    return made;
}

FollowUps after_file_change(Node& node, const host::FileEvent& file, host::ProcessRef who, const ProfileSet& profiles) {
    FollowUps made;
    const auto runs = node.runs_above(who);
    if (runs.empty()) {
        return made;
    }
    const bool removes = file.call == audit::Effect::unlink;
    const auto place = removes ? std::nullopt : written_for_later(node, file, profiles);
    for (auto* run : runs) {
        if (const auto path = removes ? deleted_own_file(node, *run, file) : std::nullopt) {
            made.push_back({run,
                            {.kind = ChainKind::self_delete,
                             .path = *path,
                             .event = file.typed->id,
                             .by = actor_of(*file.typed)}});
        }
        if (place) {
            made.push_back({run,
                            {.kind = ChainKind::persistence,
                             .path = *place,
                             .event = file.typed->id,
                             .by = actor_of(*file.typed)}});
        }
    }
    return made;
}

const host::File* opened_file(const Node& node, const audit::TypedEvent& event, const audit::PathItem& item,
                              const host::FileId& id) {
    const bool another = host::is_anonymous(id) && item.name && (item.name->starts_with('/') || event.cwd) &&
                         node.files.is_another(id, host::join_path(event.cwd.value_or("/"), *item.name));
    return another ? nullptr : node.files.find(id);
}

FollowUps after_open(Node& node, const audit::TypedEvent& event, host::ProcessRef who, const EngineOptions& options) {
    FollowUps made;
    if (node.runs.empty() || event.paths.empty()) {
        return made;
    }
    const auto* process = node.processes.find(who);
    for (auto* run : node.runs_above(who)) {
        if (!is_run_itself(node, *run, who)) {
            continue;
        }
        for (const auto& item : event.paths) {
            const auto id = item.nametype == audit::PathItem::NameType::normal ? host::file_id_of(item) : std::nullopt;
            const bool again = id && opened_again(*run, *id);
            const auto* file = id ? opened_file(node, event, item, *id) : nullptr;
            const bool unknown = file == nullptr || file->deleted;
            if (!id || !item.name || (unknown && node.moved_directories.empty())) {
                continue;
            }
            // The script itself, whatever lies at its path in the run's own mounts.
            const auto path = node.files.resolve(*item.name, event.cwd, {}, true).path;
            const auto* profile = process == nullptr ? nullptr : profile_of(*process, options.profiles);
            const bool script = run->script == id || path == run->script_path.value_or("") ||
                                (profile != nullptr && is_searched_script(*process, *profile, path));
            const bool loaded = (profile == nullptr || !profile->embedded) && as_a_loader_opens(event);
            if (!script && !run->code_unknown && !loaded && !is_code(profile, path, item.mode)) {
                continue;
            }
            const auto kind = script || run->code_unknown ? ChainKind::script_drop : ChainKind::module_drop;
            if (run->has(kind)) {
                continue; // each kind once a run
            }
            auto drops = unknown ? drops_of_place(node, options, kind, path, run->process, event.id.time_ms)
                                 : drops_of_opened(node, options, kind, *file, run->process, event.id.time_ms);
            if (profile != nullptr) {
                leave_out_own_work(*profile, *process, path, drops);
            }
            if (profile != nullptr && !unknown) {
                leave_out_work_by_hand(node, *profile, *process, *file, drops);
            }
            const bool given = !unknown && !loaded && !drops.empty() && !script && !run->code_unknown &&
                               is_given(node, *run, *file, path, again);
            if (given) {
                keep_given(node, *run, drops);
                continue;
            }
            for (auto& entry : drops) {
                entry.path = entry.path ? entry.path : path;
                made.push_back({run, std::move(entry), event.id});
            }
        }
    }
    return made;
}

FollowUps after_crash(Node& node, const audit::EventId& event, std::uint32_t pid) {
    FollowUps made;
    for (auto& run : node.runs) {
        if (run.pid == pid && node.processes.current(run.pid) == run.process) {
            made.push_back({&run, {.kind = ChainKind::crash, .path = run.interpreter_path, .event = event}});
        }
    }
    return made;
}

// SELinux: avc:  denied  { execmem } for  pid=... comm="luajit"
FollowUps after_denial(Node& node, const audit::EventId& event, const audit::Message& message) {
    FollowUps made;
    const bool memory = message.text.find("denied") != std::string_view::npos &&
                        (message.text.find("execmem") != std::string_view::npos ||
                         message.text.find("execheap") != std::string_view::npos ||
                         message.text.find("execstack") != std::string_view::npos);
    if (!memory || !message.pid) {
        return made;
    }
    for (auto& run : node.runs) {
        if (run.pid == *message.pid && node.processes.current(run.pid) == run.process) {
            made.push_back({&run, {.kind = ChainKind::exec_memory, .path = "denied", .event = event}});
        }
    }
    return made;
}

Finding raised(const Node& node, const Run& run, ChainEntry entry, const std::optional<audit::EventId>& seen_by) {
    auto finding = recall(run, node.name);
    if (seen_by) {
        finding.events.push_back(*seen_by);
    } else {
        entry.time_ms = entry.event.time_ms;
        entry.age_ms = std::max<std::int64_t>(entry.event.time_ms - run.event.time_ms, 0);
    }
    const auto& marks = finding.degraded;
    const bool guessed = std::find(marks.begin(), marks.end(), Degraded::path_uncertain) != marks.end() && seen_by &&
                         base::basename(entry.path.value_or("")) == base::basename(finding.code.path.value_or(""));
    if ((run.code_unknown || guessed) && entry.kind == ChainKind::script_drop) {
        finding.code.origin = run.code_unknown ? Origin::script : finding.code.origin;
        finding.code.path = entry.path;
    }
    if (row_of(entry.kind).is == ChainClass::follow_up) {
        count_given(finding);
    }
    finding.chain.push_back(std::move(entry));
    return finding;
}

} // namespace luatrail::detect
