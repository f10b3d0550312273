#include "luatrail/detect/engine.hpp"

#include <algorithm>
#include <utility>

#include "detect/births.hpp"
#include "detect/bounds.hpp"
#include "detect/chain.hpp"
#include "detect/conclude.hpp"
#include "detect/context.hpp"
#include "detect/destinations.hpp"
#include "detect/evidence.hpp"
#include "detect/file_identity.hpp"
#include "detect/follow.hpp"
#include "detect/identify.hpp"
#include "detect/judge.hpp"
#include "detect/lone_exec.hpp"
#include "detect/nodes.hpp"
#include "detect/places.hpp"
#include "detect/programs.hpp"
#include "detect/readings.hpp"
#include "detect/reported.hpp"
#include "detect/servers.hpp"
#include "detect/trust.hpp"
#include "luatrail/base/text.hpp"

namespace luatrail::detect {
namespace {

using audit::Effect;

constexpr std::int64_t expire_every_ms = 5000; // event time

} // namespace

struct Engine::Impl {
    EngineOptions options;
    FindingSink& sink;
    EngineCounters counters;
    audit::Decoder decoder;
    Nodes nodes;
    Programs programs;
    Reported reported;

    Impl(EngineOptions o, FindingSink& s)
        : options(std::move(o)), sink(s), nodes(options.memory), programs(nodes.common()), reported(nodes.common()) {}

    void on_event(const audit::Event& raw) {
        ++counters.events;
        take(decoder.decode(raw));
        fit();
    }

    void take(const audit::TypedEvent& event) {
        auto& node = nodes.of(event.node);
        advance(node, event);
        if (event.abend_pid) {
            raise_all(node, after_crash(node, event.id, *event.abend_pid));
        }
        if (event.message) {
            on_message(node, event);
        }
        if (lacks_its_process(event)) {
            on_lone_exec(node, with_its_program(event, programs, options.profiles));
        }
        if (!event.has_syscall || !event.syscall.pid) {
            return; // user space's own records, and late pieces without the call that they belong to
        }
        node.rules_known = node.rules_known || (event.syscall.key && event.syscall.key->starts_with("luatrail-"));
        const auto effect = audit::effect_of(event.syscall.call);
        if (event.is_exec()) {
            on_exec(node, event);
        } else if (effect == Effect::fork) {
            on_fork(node, event);
        } else if (effect == Effect::exit) {
            on_exit(node, event);
        } else {
            const auto who = node.processes.sighted(event);
            on_memory_and_network(node, event, who);
            if (effect == Effect::mount || effect == Effect::unmount) {
                note_mounted(node, event, who, options);
            }
            on_files(node, event, who);
        }
    }

    void advance(Node& node, const audit::TypedEvent& event) {
        if (event.boot) { // pids start anew, and what lay in memory is gone
            nodes.begin_boot(node);
        }
        const auto before = node.newest_ms;
        node.newest_ms = std::max(node.newest_ms, event.id.time_ms);
        if (event.lost || event.records_missing) {
            note_loss(node);
        }
        if (before == INT64_MIN || node.newest_ms / expire_every_ms != before / expire_every_ms) {
            expire(node);
        }
    }

    void expire(Node& node) {
        const auto horizon = node.newest_ms - options.window_ms;
        node.files.expire(horizon);
        node.runs.expire(horizon);
    }

    void on_exec(Node& node, const audit::TypedEvent& event) {
        if (event.syscall.success == false) {
            ++counters.failed_execs;
            node.processes.sighted(event);
            return; // a failed exec is no run
        }
        ++counters.execs;
        const auto process = node.processes.execed(event);
        note_birth(node, event, event.syscall.ppid.value_or(0), *event.syscall.pid);
        const auto program = programs.of(event.syscall.exe.value_or(""), options.profiles);
        note_program(node, event, process, program, options);
        note_copying(node, event, process, program, options.profiles);
        judge_run(node, event, process, program);
        judge_server(node, event, process, program);
        raise_all(node, after_exec(node, event, process, program));
        node.files.observe(event);
    }

    void on_lone_exec(Node& node, const audit::TypedEvent& event) {
        ++counters.execs;
        judge_run(node, event, {}, programs.of(event.syscall.exe.value_or(""), options.profiles));
        node.files.observe(event);
    }

    void on_exit(Node& node, const audit::TypedEvent& event) {
        for (auto* run : node.runs.of(node.processes.current(*event.syscall.pid))) {
            run->ended = true;
        }
        node.processes.exited(event);
    }

    void on_fork(Node& node, const audit::TypedEvent& event) {
        const auto child = event.syscall.exit.value_or(-1);
        if (event.syscall.success == false || child <= 0 || child > UINT32_MAX) {
            node.processes.sighted(event);
            return;
        }
        const auto process = node.processes.forked(event, static_cast<std::uint32_t>(child));
        note_birth(node, event, *event.syscall.pid, static_cast<std::uint32_t>(child), process);
    }

    void on_memory_and_network(Node& node, const audit::TypedEvent& event, host::ProcessRef who) {
        const auto& call = event.syscall;
        const auto effect = audit::effect_of(call.call);
        if (effect == Effect::memfd && call.exit && *call.exit >= 0) {
            node.memfds.keep({.event = event.id,
                              .pid = call.pid.value_or(0),
                              .descriptor = *call.exit,
                              .exe = cut(call.exe),
                              .uid = call.uid});
        } else if (audit::names_peer(effect) && event.peer) {
            raise_all(node, after_connect(node, event, who));
        } else if (audit::is_memory(effect)) {
            raise_all(node, after_memory_call(node, event, who, options));
        }
    }

    void on_record(const audit::Record& record) {
        const auto message = audit::may_be_message(record.type) ? audit::message_of(record) : std::nullopt;
        if (!message) {
            return;
        }
        counters.software_updates += message->kind == audit::Message::Kind::software_update ? 1 : 0;
        note_message(nodes.of(record.node), record.id, *message);
        fit();
    }

    void on_message(Node& node, const audit::TypedEvent& event) {
        const auto& message = *event.message;
        if (message.kind == audit::Message::Kind::signal && message.pid) {
            raise_all(node, after_crash(node, event.id, *message.pid));
        } else if (message.kind == audit::Message::Kind::denial) {
            raise_all(node, after_denial(node, event.id, message));
        }
    }

    void on_files(Node& node, const audit::TypedEvent& event, host::ProcessRef who) {
        if (event.paths.empty() || event.syscall.success == false) {
            return;
        }
        auto file = host::file_event_of(event, who);
        if (!file) {
            if (audit::effect_of(event.syscall.call) == Effect::open) {
                raise_all(node,
                          contradict_runs(node, event, who, options, [this](const Finding& one) { report(one); }));
                raise_all(node, after_open(node, event, who, options));
                judge_open(node, event, who);
            }
            node.files.observe(event);
            return;
        }
        complete(node, *file);
        raise_all(node, after_file_change(node, *file, who, options.profiles));
        note_moved(node, *file, who);
        node.files.apply(*file);
        note_change(node, event);
    }

    // ---- runs

    void judge_run(Node& node, const audit::TypedEvent& event, host::ProcessRef process, Program program) {
        const auto& argv = event.execve.argv;
        const bool called_one = !argv.empty() && programs.of(argv.front(), options.profiles).interpreter;
        auto identified = identify(node, event, program, called_one, options);
        if (identified.match.profile == nullptr) {
            if (const auto finding = describe_unknown(node, event, process, options); process && finding) {
                sink.on_unknown_program(*finding);
            }
            return;
        }
        auto run = invoke(event, process, std::move(identified));
        if (!run.invocation.runs_code) {
            if (!run.interpreter.profile->embedded) {
                ++counters.version_calls;
                remember_quiet(node, run);
            } else if (const auto finding = describe_unknown(node, event, process, options); process && finding) {
                sink.on_unknown_program(*finding); // brought under the name of a program that it need not be
            }
            return;
        }
        resolve_input(node, run);
        ++counters.runs;
        locate_script(node, run);
        auto finding = describe(node, run, options);
        find_chain(node, run, options, finding);
        check_script(node, run, options, finding);
        if (!conclude(node, "run", finding)) {
            count_expected(finding);
            sink.on_expected_run(finding);
        } else {
            report(finding);
        }
        if (process) {
            if (const auto assignment = assigned_before(node, run)) {
                report_environment(node, finding, *assignment, false);
            }
            remember_run(node, run, std::move(finding));
        }
    }

    // Asked for its version, or to compile, it still runs LUA_INIT and loads modules: what follows is watched.
    void remember_quiet(Node& node, const Invoked& run) {
        if (!run.process) {
            return;
        }
        auto finding = describe(node, run, options);
        find_chain(node, run, options, finding);
        if (const auto assignment = assigned_before(node, run)) {
            report_environment(node, finding, *assignment, false);
        }
        node.runs.add({.process = run.process, .code_unknown = run.interpreter.profile->lua_init}, std::move(finding));
    }

    // What a program opens makes a run where its command line showed none.
    void judge_open(Node& node, const audit::TypedEvent& event, host::ProcessRef who) {
        const auto* read = note_reading(node, event, who, programs, options);
        const auto program = programs.of(event.syscall.exe.value_or(""), options.profiles);
        auto finding = runs_lua(node, who) ? std::nullopt : run_by_open(node, event, who, program, read, options);
        if (!finding) {
            return;
        }
        ++counters.runs;
        report_unless_expected(node, "open", *finding);
        Run run{.process = who, .script_path = cut(finding->code.path)};
        node.runs.add(std::move(run), std::move(*finding));
    }

    void saw_environment(const Finding& run, std::string_view assignment) {
        const auto* profile = options.profiles.named(run.interpreter.profile);
        const auto& argv = run.process.argv;
        if (profile == nullptr || !profile->lua_init || std::find(argv.begin(), argv.end(), "-E") != argv.end()) {
            return;
        }
        auto& node = nodes.of(run.node.value_or(""));
        report_environment(node, run, assignment, true);
    }

    void report_environment(Node& node, const Finding& run, std::string_view assignment, bool live) {
        auto finding = environment_finding(node, run, assignment, options);
        finding.live = live;
        if (conclude(node, "environment", finding)) {
            report(finding);
        }
    }

    void saw_content(const Finding& program, std::string_view version) {
        auto& node = nodes.of(program.node.value_or(""));
        auto finding = program;
        finding.live = true;
        finding.interpreter.copy_of = version;
        if (conclude(node, "content", finding)) {
            ++counters.runs;
            report(finding);
        }
    }

    static void remember_run(Node& node, const Invoked& run, Finding finding) {
        node.runs.add({.process = run.process,
                       .script = run.script,
                       .script_path = cut(run.script_path),
                       .code_unknown = run.invocation.uncertain},
                      std::move(finding));
    }

    // ---- what follows a run

    void raise_all(Node& node, FollowUps&& followed) {
        for (auto& [run, entry, seen_by] : followed) {
            if (run->has(entry.kind)) {
                continue; // each kind once a run
            }
            if (entry.by && row_of(entry.kind).is != ChainClass::drop) {
                describe_actor(node, run->process, entry.event, options.profiles, *entry.by);
            }
            raise(node, *run, std::move(entry), seen_by);
        }
    }

    void judge_server(Node& node, const audit::TypedEvent& event, host::ProcessRef process, const Program& program) {
        if (auto run = run_of_server(node, event, process, program, programs, options)) {
            ++counters.runs;
            report_unless_expected(node, "server", run->finding);
            node.runs.add({.process = run->server}, std::move(run->finding));
        }
    }

    // A new finding, where it is more than info. `seen_by`: the event that showed an earlier drop.
    void raise(Node& node, Run& run, ChainEntry entry, const std::optional<audit::EventId>& seen_by) {
        const auto age = seen_by.value_or(entry.event).time_ms - run.event.time_ms;
        if (age > options.window_ms) {
            return;
        }
        const auto kind = entry.kind;
        auto finding = raised(node, run, std::move(entry), seen_by);
        const auto before = std::exchange(finding.follows, std::nullopt);
        const auto id = finding.id; // empty: an expected run, which was not reported
        if (!id.empty()) {
            finding.follows = id;
        }
        if (conclude(node, to_string(kind), finding)) {
            if (!run.severity || finding.severity > *run.severity || finding.severity >= Severity::medium) {
                report(finding);
            } else {
                finding.id = id; // reported with the next one that raises it
                finding.follows = before;
            }
        }
        node.runs.change(run, std::move(finding));
    }

    void report_unless_expected(const Node& node, std::string_view kind, Finding& finding) {
        if (conclude(node, kind, finding)) {
            report(finding);
        } else {
            count_expected(finding);
        }
    }

    void report(const Finding& finding) {
        if (!reported.add(finding.id)) {
            return;
        }
        ++counters.findings[static_cast<std::size_t>(finding.severity)];
        sink.on_finding(finding);
    }

    void count_expected(const Finding& finding) {
        ++counters.expected_runs;
        counters.unchecked_runs += finding.expectation.package_unchecked ? 1 : 0;
    }

    void fit() { nodes.fit(); }
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
void Engine::on_record(const audit::Record& record) {
    impl_->on_record(record);
}
void Engine::set_options(EngineOptions options) {
    options.memory = impl_->options.memory;
    impl_->options = std::move(options);
    impl_->programs.clear();
}

void Engine::saw_environment(const Finding& run, std::string_view assignment) {
    impl_->saw_environment(run, assignment);
}
void Engine::saw_content(const Finding& program, std::string_view version) {
    impl_->saw_content(program, version);
}

void Engine::set_inventory(std::shared_ptr<const inventory::Inventory> inventory) {
    impl_->options.inventory = std::move(inventory);
}

void Engine::note_loss(std::string_view node) {
    impl_->note_loss(impl_->nodes.of(node));
}
std::size_t Engine::memory() const {
    return impl_->nodes.memory();
}

std::size_t Engine::memory_limit() const {
    return impl_->nodes.limit();
}

EngineCounters Engine::counters() const {
    auto counters = impl_->counters;
    impl_->nodes.count(counters);
    return counters;
}

void Engine::save(base::Packer& out) const {
    impl_->nodes.save(out);
    impl_->reported.save(out);
}

void Engine::load(base::Unpacker& in) {
    impl_->nodes.load(in);
    impl_->reported.load(in);
    impl_->fit(); // it may have been saved under a larger bound
}

void Engine::seed(std::string_view node, const std::vector<host::RunningProcess>& running, const audit::EventId& now) {
    host::seed(impl_->nodes.of(node).processes, running, now);
    impl_->fit();
}

void Engine::begin_boot() {
    impl_->nodes.begin_boot();
}

} // namespace luatrail::detect
