// The finding: who ran what, in which tree, expected or not.
#include "judge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "luatrail/detect/severity.hpp"

namespace luatrail::detect {
namespace {

constexpr std::int64_t pipeline_ms = 500; // a shell forks the members of a pipeline at once

std::optional<std::string> copy(audit::Text text) {
    return text ? std::optional<std::string>(*text) : std::nullopt;
}

void describe_process(const Invoked& run, Finding& finding) {
    const auto& call = run.event->syscall;
    auto& process = finding.process;
    process.pid = call.pid.value_or(0);
    process.ppid = call.ppid;
    process.uid = call.uid;
    process.euid = call.euid;
    process.auid = call.auid;
    process.session = call.ses;
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
    if (run.event->partial) {
        marks.push_back(Degraded::partial_event);
    }
    if (run.event->execve.truncated || !run.event->execve.missing.empty()) {
        marks.push_back(Degraded::truncated_argv);
    }
}

} // namespace

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
    describe_process(run, finding);
    describe_code(run, finding);
    mark_degraded(node, run, options, finding);
    add_circumstances(node, run.process, options, finding);
    return finding;
}

bool in_pipeline(const Node& node, const host::Process& process, std::int64_t time_ms) {
    const auto own = std::find_if(node.births.rbegin(), node.births.rend(),
                                  [&](const Birth& birth) { return birth.pid == process.pid; });
    const auto born = own == node.births.rend() ? time_ms : own->time_ms;
    return std::any_of(node.births.rbegin(), node.births.rend(), [&](const Birth& birth) {
        if (birth.pid == process.pid || birth.parent != process.ppid || birth.time_ms < born - pipeline_ms ||
            birth.time_ms > born + pipeline_ms) {
            return false;
        }
        return static_cast<bool>(node.processes.current(birth.pid));
    });
}

} // namespace luatrail::detect
