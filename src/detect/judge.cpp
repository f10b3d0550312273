// The finding: who ran what, in which tree, expected or not.
#include "judge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "luatrail/detect/severity.hpp"
#include "ownership.hpp"

namespace luatrail::detect {
namespace {

constexpr std::size_t ancestors_shown = 8;
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
    code.inode = run.script ? std::optional(run.script->inode) : std::nullopt;
}

// The process that started this one: the nearest ancestor with another pid.
const host::Process* parent_of(const std::vector<const host::Process*>& ancestors, std::uint32_t pid) {
    const auto found =
        std::find_if(ancestors.begin(), ancestors.end(), [&](const host::Process* one) { return one->pid != pid; });
    return found == ancestors.end() ? nullptr : *found;
}

RunFacts facts_of(const Invoked& run, const Finding& finding, const host::Process* parent) {
    RunFacts facts;
    facts.time_ms = run.event->id.time_ms;
    facts.exe = finding.interpreter.exe;
    facts.user_name = finding.process.user;
    facts.uid = finding.process.uid;
    facts.script = run.script_path;
    facts.script_package = finding.code.package;
    facts.code = finding.code.inline_text;
    facts.script_as_packaged = finding.code.packaged_path;
    facts.unit = finding.process.unit;
    facts.parent_exe = parent != nullptr ? parent->exe : std::nullopt;
    if (run.event->has_syscall) {
        facts.login = finding.process.auid.has_value();
    }
    return facts;
}

void add_ownership(const Ownership& owners, const Node& node, const Invoked& run, Finding& finding) {
    finding.interpreter.package = owners.package_of(finding.interpreter.exe);
    for (auto& ancestor : finding.ancestors) {
        ancestor.package = owners.package_of(ancestor.exe);
    }
    finding.code.package = owners.package_of(finding.code.path);
    finding.code.packaged_path = owners.packaged_path(finding.code.path);
    if (!finding.process.user) {
        finding.process.user = owners.user_name(finding.process.uid);
    }
    if (const auto* process = node.processes.find(run.process)) {
        finding.process.unit = owners.unit_of(*process);
    }
}

// An expectation is of what a package brought, not of what was made of it.
void doubt_altered(const Ownership& owners, Finding& finding) {
    if (finding.expectation.verdict != Verdict::expected) {
        return;
    }
    const auto doubt = [&finding](const char* reason, const std::optional<std::string>& path,
                                  const std::optional<std::string>& package) {
        finding.expectation = {Verdict::unexpected, std::nullopt,
                               fmt::format("expectation {} matches, but {} is not as package {} brought it",
                                           finding.expectation.rule.value_or(""), path.value_or(""),
                                           package.value_or("")),
                               reason};
    };
    if (owners.altered(finding.code.path)) {
        doubt("altered-script", finding.code.path, finding.code.package);
    } else if (owners.altered(finding.interpreter.exe)) {
        doubt("altered-interpreter", finding.interpreter.exe, finding.interpreter.package);
    }
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
    if (!options.baseline.given()) {
        marks.push_back(Degraded::no_baseline);
    }
}

} // namespace

Finding describe(const Node& node, const Invoked& run, const EngineOptions& options) {
    Finding finding;
    finding.time_ms = run.event->id.time_ms;
    if (!node.name.empty()) {
        finding.node = node.name;
    }
    finding.interpreter.exe = copy(run.event->syscall.exe);
    finding.interpreter.profile = run.interpreter.profile->name;
    finding.interpreter.identified_by = run.interpreter.by;
    describe_process(run, finding);
    describe_code(run, finding);
    mark_degraded(node, run, options, finding);
    bool cut = false;
    const auto ancestors = node.processes.ancestors(run.process, ancestors_shown, &cut);
    for (const auto* process : ancestors) {
        finding.ancestors.push_back(
            {.pid = process->pid, .exe = process->exe, .argv = process->argv, .uid = process->uid});
    }
    add_ownership(Ownership(options.inventory.get(), ancestors), node, run, finding);
    const auto* parent = parent_of(ancestors, finding.process.pid);
    if (cut || (parent == nullptr && finding.process.ppid.value_or(0) > 1)) {
        finding.degraded.push_back(Degraded::no_lineage);
    }
    finding.expectation = options.baseline.judge(facts_of(run, finding, parent));
    doubt_altered(Ownership(options.inventory.get(), ancestors), finding);
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
