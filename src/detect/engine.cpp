#include "luatrail/detect/engine.hpp"

#include <algorithm>
#include <span>
#include <unordered_set>

#include "judge.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/detect/severity.hpp"
#include "luatrail/host/from_audit.hpp"
#include "nodes.hpp"
#include "programs.hpp"

namespace luatrail::detect {
namespace {

constexpr std::size_t most_runs = 512; // of one node, that later events may raise
constexpr std::size_t most_births = 256;
constexpr std::size_t remembered_findings = 8192;
constexpr std::int64_t expire_every_ms = 5000; // event time

bool is_terminal(audit::Text tty) { // drivers/tty: names of terminals that a person may sit at
    return tty && (tty->starts_with("pts") || tty->starts_with("tty") || tty->starts_with("console"));
}

bool forks(audit::Call call) {
    return call == audit::Call::fork || call == audit::Call::vfork || call == audit::Call::clone ||
           call == audit::Call::clone3;
}

Actor actor_of(const audit::TypedEvent& event) {
    return {.pid = event.syscall.pid.value_or(0),
            .exe = event.syscall.exe ? std::optional<std::string>(*event.syscall.exe) : std::nullopt,
            .uid = event.syscall.uid};
}

// A shell, with what it was told to do: not more of it than a reader wants.
Actor shell_of(const audit::TypedEvent& event) {
    constexpr std::size_t most_words = 16;
    constexpr std::size_t word_bytes = 256;
    auto actor = actor_of(event);
    for (const auto& word : event.execve.argv) {
        if (actor.argv.size() < most_words) {
            actor.argv.push_back(word.substr(0, word_bytes));
        }
    }
    return actor;
}

bool removes(audit::Call call) {
    return call == audit::Call::unlink || call == audit::Call::unlinkat;
}

} // namespace

struct Engine::Impl {
    EngineOptions options;
    FindingSink& sink;
    EngineCounters counters;
    audit::Decoder decoder;
    Nodes nodes;
    Programs programs;
    std::unordered_set<std::string> seen; // ids of recent findings: the same log given twice yields each once
    std::deque<std::string> seen_order;

    Impl(EngineOptions o, FindingSink& s) : options(std::move(o)), sink(s), nodes(options.memory) {}

    // ---- the straight list of steps
    // -------------------------------------------------------------------------------------

    void on_event(const audit::Event& raw) {
        ++counters.events;
        const auto& event = decoder.decode(raw);
        auto& node = nodes.of(event.node);
        advance(node, event);
        if (event.abend_pid) {
            follow_up_crash(node, event);
        }
        const auto sighting = host::sighting_of(event);
        if (!sighting) {
            return; // user space's own records, and late pieces without the call that they belong to
        }
        if (event.is_exec()) {
            on_exec(node, event, *sighting);
        } else if (forks(event.syscall.call)) {
            on_fork(node, event, *sighting);
        } else if (event.syscall.call == audit::Call::exit_group || event.syscall.call == audit::Call::exit) {
            on_exit(node, event, *sighting);
        } else {
            const auto who = node.processes.sighted(*sighting);
            on_memory_and_network(node, event, who);
            on_files(node, event, who);
        }
    }

    // ---- steps
    // -------------------------------------------------------------------------------------------------------------

    void advance(Node& node, const audit::TypedEvent& event) {
        if (event.boot) { // pids start anew, and what lay in memory is gone
            nodes.begin_boot(node);
        }
        const auto before = node.newest_ms;
        node.newest_ms = std::max(node.newest_ms, event.id.time_ms);
        if (event.lost) {
            note_loss(node);
        }
        if (before == INT64_MIN || node.newest_ms / expire_every_ms != before / expire_every_ms) {
            expire(node);
        }
    }

    void expire(Node& node) {
        const auto horizon = node.newest_ms - options.window_ms;
        node.files.expire(horizon);
        while (!node.runs.empty() && node.runs.front().finding.time_ms < horizon) {
            node.forget_oldest_run();
        }
        nodes.shrink(memory_of_seen());
    }

    void on_exec(Node& node, const audit::TypedEvent& event, const host::Sighting& sighting) {
        if (event.syscall.success == false) {
            ++counters.failed_execs;
            node.processes.sighted(sighting);
            return; // a failed exec is no run
        }
        ++counters.execs;
        const auto process = node.processes.execed(sighting, event.execve.argv);
        note_birth(node, event, sighting.ppid.value_or(0), sighting.pid);
        judge_run(node, event, process);
        follow_up_shell(node, event, process);
        node.files.observe(event.cwd, host::path_items_of(event));
    }

    void on_fork(Node& node, const audit::TypedEvent& event, const host::Sighting& sighting) {
        const auto child = event.syscall.exit.value_or(-1);
        if (event.syscall.success == false || child <= 0 || child > UINT32_MAX) {
            node.processes.sighted(sighting);
            return;
        }
        node.processes.forked(sighting, static_cast<std::uint32_t>(child));
        note_birth(node, event, sighting.pid, static_cast<std::uint32_t>(child));
    }

    void on_exit(Node& node, const audit::TypedEvent& event, const host::Sighting& sighting) {
        if (event.syscall.call == audit::Call::exit) {
            node.processes.sighted(sighting); // ends a thread, perhaps not its process
        } else {
            node.processes.exited(sighting);
        }
    }

    void on_memory_and_network(Node& node, const audit::TypedEvent& event, host::ProcessRef who) {
        const auto& call = event.syscall;
        if (call.call == audit::Call::memfd_create && call.exit && *call.exit >= 0) {
            if (node.memfds.size() >= most_births) {
                node.memfds.pop_front();
            }
            node.memfds.push_back({.event = event.id,
                                   .pid = call.pid.value_or(0),
                                   .descriptor = *call.exit,
                                   .exe = call.exe ? std::optional<std::string>(*call.exe) : std::nullopt,
                                   .uid = call.uid});
        } else if (call.call == audit::Call::connect && event.peer) {
            follow_up_connect(node, event, who);
        }
    }

    void on_files(Node& node, const audit::TypedEvent& event, host::ProcessRef who) {
        if (event.paths.empty() || event.syscall.success == false) {
            return;
        }
        const auto file = host::file_event_of(event, who);
        if (!file) {
            node.files.observe(event.cwd, host::path_items_of(event));
            return;
        }
        if (removes(event.syscall.call)) {
            follow_up_deletion(node, *file, who);
        }
        node.files.apply(*file);
    }

    // ---- runs
    // ------------------------------------------------------------------------------------------------------------------

    void judge_run(Node& node, const audit::TypedEvent& event, host::ProcessRef process) {
        const auto& argv = event.execve.argv;
        const auto exe = event.syscall.exe.value_or("");
        const auto& program = programs.of(exe, options.profiles);
        if (!program.interpreter && !program.loader && !exe.starts_with("/memfd:") &&
            interpreter_file(node, event) == nullptr) {
            return; // nearly all execs
        }
        const auto [match, offset] = identify(node, event, options.profiles);
        if (match.profile == nullptr) {
            return;
        }
        Invoked run;
        run.event = &event;
        run.process = process;
        run.interpreter = match;
        run.invocation = parse_invocation(
            *match.profile, {.argv = std::span(argv).subspan(offset),
                             .missing = offset == 0 ? std::span(event.execve.missing) : std::span<const std::size_t>(),
                             .truncated = event.execve.truncated || (offset != 0 && !event.execve.missing.empty()),
                             .terminal = is_terminal(event.syscall.tty)});
        if (!run.invocation.runs_code) {
            ++counters.version_calls;
            return;
        }
        const auto* image = node.processes.find(process);
        if (run.invocation.reads_stdin && image != nullptr && in_pipeline(node, *image, event.id.time_ms)) {
            run.invocation.origin = Origin::stdin_code; // `producer | lua` on a terminal, `producer | lua -l module`
        }
        ++counters.runs;
        locate_script(node, run);
        auto finding = describe(node, run, options);
        find_chain(node, run, options, finding);
        finding.events.push_back(event.id);
        if (!conclude(node, "run", finding)) {
            ++counters.expected_runs;
            return;
        }
        report(finding);
        remember_run(node, run, std::move(finding));
    }

    void remember_run(Node& node, const Invoked& run, Finding finding) {
        if (node.runs.size() >= most_runs) {
            node.forget_oldest_run();
        }
        const auto pid = finding.process.pid;
        auto exe = finding.interpreter.exe;
        node.add_run({.process = run.process,
                      .pid = pid,
                      .script = run.script,
                      .script_path = run.script_path,
                      .interpreter_path = std::move(exe),
                      .finding = std::move(finding)});
    }

    // ---- what follows a run
    // ----------------------------------------------------------------------------------------------------

    void follow_up_shell(Node& node, const audit::TypedEvent& event, host::ProcessRef process) {
        if (node.runs.empty() || !event.syscall.exe || !programs.of(*event.syscall.exe, options.profiles).shell) {
            return;
        }
        for (auto* run : node.runs_above(process)) {
            if (!(run->process == process)) {
                raise(node, *run,
                      {.kind = ChainKind::child_shell,
                       .path = std::string(*event.syscall.exe),
                       .event = event.id,
                       .by = shell_of(event)});
            }
        }
    }

    // A connection that was begun (EINPROGRESS) or refused tells as much as one that was made.
    void follow_up_connect(Node& node, const audit::TypedEvent& event, host::ProcessRef who) {
        for (auto* run : node.runs_above(who)) {
            raise(node, *run,
                  {.kind = ChainKind::network, .path = event.peer, .event = event.id, .by = actor_of(event)});
        }
    }

    // ANOM_ABEND is an event of its own that names the process by its pid.
    void follow_up_crash(Node& node, const audit::TypedEvent& event) {
        for (auto& run : node.runs) {
            if (run.pid == *event.abend_pid && node.processes.current(run.pid) == run.process) {
                raise(node, run, {.kind = ChainKind::crash, .path = run.interpreter_path, .event = event.id});
            }
        }
    }

    void follow_up_deletion(Node& node, const host::FileEvent& file, host::ProcessRef who) {
        for (auto* run : node.runs_above(who)) {
            if (const auto path = deleted_own_file(node, *run, file)) {
                raise(node, *run,
                      {.kind = ChainKind::self_delete,
                       .path = *path,
                       .event = file.event,
                       .by = Actor{.pid = file.by_pid,
                                   .exe = file.by_exe ? std::optional<std::string>(*file.by_exe) : std::nullopt,
                                   .uid = file.by_uid}});
            }
        }
    }

    std::optional<std::string> deleted_own_file(const Node& node, const Run& run, const host::FileEvent& file) const {
        std::optional<host::FileId> parent;
        for (const auto& item : file.items) {
            if (item.nametype == host::PathItem::NameType::parent) {
                parent = item.id;
            }
        }
        for (const auto& item : file.items) {
            if (item.nametype != host::PathItem::NameType::remove || !item.name) {
                continue;
            }
            const auto path = node.files.resolve(*item.name, file.cwd, parent, file.at_cwd).path;
            if ((run.script && item.id == run.script) || path == run.script_path || path == run.interpreter_path) {
                return path;
            }
        }
        return std::nullopt;
    }

    // A new finding where the follow-up makes it more severe; each kind once a run.
    void raise(Node& node, Run& run, ChainEntry entry) {
        auto finding = run.finding;
        const bool known = std::any_of(finding.chain.begin(), finding.chain.end(),
                                       [&](const ChainEntry& one) { return one.kind == entry.kind; });
        const auto age = entry.event.time_ms - finding.time_ms;
        if (known || age > options.window_ms) {
            return;
        }
        entry.time_ms = entry.event.time_ms;
        entry.age_ms = std::max<std::int64_t>(age, 0);
        const auto kind = entry.kind;
        finding.chain.push_back(std::move(entry));
        finding.follows = finding.id;
        const auto before = finding.severity;
        if (!conclude(node, to_string(kind), finding)) {
            return;
        }
        if (finding.severity > before) {
            report(finding);
        } else {
            finding.id = *finding.follows; // told with the next one that raises it
            finding.follows = run.finding.follows;
        }
        run.finding = std::move(finding);
    }

    void report(const Finding& finding) {
        if (!seen.insert(finding.id).second) {
            return;
        }
        seen_order.push_back(finding.id);
        if (seen_order.size() > remembered_findings) {
            seen.erase(seen_order.front());
            seen_order.pop_front();
        }
        ++counters.findings[static_cast<std::size_t>(finding.severity)];
        sink.on_finding(finding);
    }

    // ---- bookkeeping
    // -----------------------------------------------------------------------------------------------------------

    std::size_t memory_of_seen() const { return seen.size() * 96; }

    void note_birth(Node& node, const audit::TypedEvent& event, std::uint32_t parent, std::uint32_t child) {
        const bool known = std::any_of(node.births.rbegin(), node.births.rend(), [&](const Birth& birth) {
            return birth.pid == child && birth.parent == parent;
        });
        if (known) {
            return;
        }
        if (node.births.size() >= most_births) {
            node.births.pop_front();
        }
        node.births.push_back({.time_ms = event.id.time_ms, .pid = child, .parent = parent});
    }

    void note_loss(Node& node) {
        ++counters.losses;
        node.lost_ms = node.newest_ms;
    }
};

Engine::Engine(EngineOptions options, FindingSink& sink) : impl_(std::make_unique<Impl>(std::move(options), sink)) {}
Engine::~Engine() = default;

void Engine::on_event(const audit::Event& event) {
    impl_->on_event(event);
}
void Engine::set_options(EngineOptions options) {
    options.memory = impl_->options.memory;
    impl_->options = std::move(options);
    impl_->programs.clear();
}

void Engine::set_inventory(std::shared_ptr<const inventory::Inventory> inventory) {
    impl_->options.inventory = std::move(inventory);
}

void Engine::note_loss(std::string_view node) {
    impl_->note_loss(impl_->nodes.of(node));
}
std::size_t Engine::memory() const {
    return impl_->nodes.memory() + impl_->memory_of_seen();
}

EngineCounters Engine::counters() const {
    auto counters = impl_->counters;
    impl_->nodes.count(counters);
    return counters;
}

void Engine::save(base::Packer& out) const {
    impl_->nodes.save(out);
    out(impl_->seen_order);
}

void Engine::load(base::Unpacker& in) {
    impl_->nodes.load(in);
    in(impl_->seen_order);
    impl_->seen = {impl_->seen_order.begin(), impl_->seen_order.end()};
}

void Engine::seed(std::string_view node, const std::vector<host::RunningProcess>& running, const audit::EventId& now) {
    host::seed(impl_->nodes.of(node).processes, running, now);
}

void Engine::begin_boot() {
    impl_->nodes.begin_boot();
}

} // namespace luatrail::detect
