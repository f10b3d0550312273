#include "detect/judge.hpp"

#include <algorithm>
#include <span>

#include "detect/births.hpp"
#include "detect/chain.hpp"
#include "detect/context.hpp"
#include "detect/identify.hpp"
#include "luatrail/base/kernel_path.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::detect {
namespace {

std::optional<std::string> copy(audit::Text text) {
    return text ? std::optional<std::string>(*text) : std::nullopt;
}

bool is_terminal(audit::Text tty) { // drivers/tty: names of terminals that a person may sit at
    return tty && (tty->starts_with("pts") || tty->starts_with("tty") || tty->starts_with("console"));
}

void describe_process(const Invoked& run, Finding& finding) {
    const auto& call = run.event->syscall;
    auto& process = finding.process;
    process.pid = call.pid.value_or(0);
    process.ppid = call.ppid;
    process.credentials() = call.credentials();
    process.user = copy(call.user);
    process.tty = copy(call.tty);
    process.comm = copy(call.comm);
    process.cwd = copy(run.event->cwd);
    process.argv = run.event->execve.argv;
}

void describe_code(const Invoked& run, Finding& finding) {
    const auto& invocation = run.invocation;
    auto& code = finding.code;
    code.origin = invocation.origin;
    code.argument = invocation.script;
    if (invocation.origin == Origin::module && !invocation.modules.empty()) {
        code.argument = invocation.modules.front();
    }
    code.path = run.script_path;
    code.inline_text = invocation.inline_text;
    code.modules = invocation.modules;
    code.searched = invocation.script_elsewhere;
    for (const auto& name : invocation.more_scripts) {
        code.more_scripts.push_back(host::join_path(run.event->cwd.value_or("/"), name));
    }
    code.reads_stdin = invocation.reads_stdin;
    code.arguments_lost = invocation.uncertain;
    if (run.interpreter.profile->embedded &&
        (code.origin == Origin::script || code.origin == Origin::inline_code || code.origin == Origin::module)) {
        code.origin = Origin::embedded;
    }
    code.inode = run.script ? std::optional(run.script->inode) : std::nullopt;
}

void mark_degraded(const Node& node, const Invoked& run, const EngineOptions& options, Finding& finding) {
    auto& marks = finding.degraded;
    if (node.lost_ms != INT64_MIN && node.lost_ms >= finding.time_ms - options.window_ms) {
        marks.push_back(Degraded::lost_records);
    }
    // It may have followed one of these, or be a copy by another process.
    if (run.copied_by_user || node.runs.lost_since(finding.time_ms - options.window_ms)) {
        marks.push_back(Degraded::evicted);
    }
    if (run.event->partial) {
        marks.push_back(Degraded::partial_event);
    }
    if (run.event->execve.truncated || !run.event->execve.missing.empty()) {
        marks.push_back(Degraded::truncated_argv);
    }
    if (run.input_unknown) {
        marks.push_back(Degraded::input_unknown);
    }
    if (!run.event->syscall.pid) {
        marks.push_back(Degraded::no_process);
    }
}

} // namespace

Invoked invoke(const audit::TypedEvent& event, host::ProcessRef process, Identified identified) {
    Invoked run;
    run.event = &event;
    run.process = process;
    run.interpreter = identified.match;
    run.copy_of = std::move(identified.copy_of);
    run.copying = std::move(identified.copying);
    run.copied_by_reader = identified.by_reader;
    run.copied_by_user = identified.by_user;
    const auto offset = identified.offset;
    run.invocation = parse_invocation(*run.interpreter.profile, {.argv = std::span(event.execve.argv).subspan(offset),
                                                                 .missing = event.execve.missing,
                                                                 .truncated = event.execve.truncated,
                                                                 .terminal = is_terminal(event.syscall.tty),
                                                                 .cut = event.execve.cut,
                                                                 .headless = event.execve.headless,
                                                                 .offset = offset});
    return run;
}

Finding describe(const Node& node, const Invoked& run, const EngineOptions& options) {
    Finding finding;
    finding.time_ms = run.event->id.time_ms;
    finding.events.push_back(run.event->id);
    if (!node.name.empty()) {
        finding.node = node.name;
    }
    finding.interpreter.exe = copy(run.event->syscall.exe);
    finding.interpreter.profile = run.interpreter.profile->name;
    finding.interpreter.identified_by = run.interpreter.by;
    finding.interpreter.jit = run.interpreter.profile->jit;
    finding.interpreter.copy_of = run.copy_of;
    finding.interpreter.copied_by_reader = run.copied_by_reader;
    finding.interpreter.copied_by_user = run.copied_by_user;
    const auto& argv = run.event->execve.argv;
    const bool by_name = run.interpreter.by == IdentifiedBy::path && run.interpreter.profile->argv1.empty();
    if (by_name && !argv.empty() && options.profiles.match(argv.front(), argv.front()).profile == nullptr) {
        finding.interpreter.called = argv.front();
    }
    describe_process(run, finding);
    describe_code(run, finding);
    mark_degraded(node, run, options, finding);
    add_circumstances(node, run.process, options, finding);
    return finding;
}

// A program that no package owns; told once for each file.
static bool is_unowned(Node& node, const audit::TypedEvent& event, const EngineOptions& options) {
    const auto id = id_of_interpreter(event);
    return options.inventory && id && event.syscall.exe && !options.inventory->owner(*event.syscall.exe) &&
           node.programs.ask_once(*id);
}

std::optional<Finding> describe_unknown(Node& node, const audit::TypedEvent& event, host::ProcessRef process,
                                        const EngineOptions& options) {
    const auto exe = event.syscall.exe.value_or("");
    const auto* lua = options.profiles.named("lua");
    const bool brought = base::is_memfd(exe) || base::is_deleted(exe) ||
                         (interpreter_file(node, event) != nullptr && event.paths.size() <= 2);
    if (lua == nullptr || !(brought || is_unowned(node, event, options))) {
        return std::nullopt;
    }
    auto run = invoke(event, process, {{lua, IdentifiedBy::content}});
    locate_script(node, run);
    auto finding = describe(node, run, options);
    find_chain(node, run, options, finding);
    return finding;
}

void resolve_input(const Node& node, Invoked& run) {
    auto& invocation = run.invocation;
    if (!invocation.reads_stdin) {
        return;
    }
    const bool told = run.copying && run.copying->target.empty(); // who made it was told of a copy
    // Without a word of code it may be another program.
    const bool guessed = run.copied_by_reader || run.copied_by_user || told;
    if (!run.event->syscall.pid || guessed) {
        invocation.origin = Origin::stdin_code;
        run.input_unknown = true; // nor is its terminal known
        return;
    }
    const auto* process = node.processes.find(run.process);
    if (process != nullptr && in_pipeline(node, *process, run.event->id.time_ms)) {
        invocation.origin = Origin::stdin_code; // `producer | lua` on a terminal, `producer | lua -l module`
    } else if (invocation.origin == Origin::interactive) {
        invocation.origin = Origin::stdin_code;
        run.input_unknown = is_terminal(run.event->syscall.tty); // without one, nobody types
    }
}

std::optional<std::string> assigned_before(const Node& node, const Invoked& run) {
    const auto* own = node.processes.find(run.process);
    const auto* before = own == nullptr ? nullptr : node.processes.find(own->execed_from);
    const auto& argv = run.event->execve.argv;
    if (before == nullptr || !run.interpreter.profile->lua_init ||
        std::find(argv.begin(), argv.end(), "-E") != argv.end()) {
        return std::nullopt;
    }
    const auto word = std::find_if(before->argv.begin(), before->argv.end(), [](const std::string& one) {
        return one.starts_with("LUA_INIT=") || (one.starts_with("LUA_INIT_5_") && one.find('=') != std::string::npos);
    });
    return word == before->argv.end() ? std::nullopt : std::optional(*word);
}

// lua.c, handle_luainit(): code, or @FILE.
Finding environment_finding(const Node& node, const Finding& run, std::string_view assignment,
                            const EngineOptions& options) {
    Finding finding = run;
    finding.follows = run.id.empty() ? std::nullopt : std::optional(run.id); // an expected one has none
    finding.code = {};
    finding.code.origin = Origin::environment;
    finding.code.argument = assignment;
    const auto value = assignment.substr(std::min(assignment.find('=') + 1, assignment.size()));
    if (value.starts_with('@')) {
        finding.code.path = host::join_path(run.process.cwd.value_or("/"), value.substr(1));
        if (const auto* file = node.files.find(*finding.code.path); file != nullptr && !file->deleted) {
            for (auto& entry : drops_of_opened(node, options, ChainKind::script_drop, *file, {}, run.time_ms)) {
                finding.chain.push_back(std::move(entry));
            }
        }
    } else {
        finding.code.inline_text = value;
    }
    finding.expectation = {.verdict = Verdict::unexpected, .reason = ExpectationReason::environment_code};
    return finding;
}

} // namespace luatrail::detect
