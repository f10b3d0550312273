#include "detect/context.hpp"

#include <algorithm>
#include <set>

#include "detect/bounds.hpp"
#include "detect/ownership.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {
namespace {

constexpr std::size_t ancestors_shown = 8;

// Programs that show how somebody came in.
bool tells_of_the_way_in(ProgramKind kind) {
    switch (kind) {
    case ProgramKind::web_server:
    case ProgramKind::mail:
    case ProgramKind::database:
    case ProgramKind::container_runtime:
    case ProgramKind::remote_login:
    case ProgramKind::scheduler:
    case ProgramKind::package_manager:
        return true;
    default:
        return false;
    }
}

// The image of a process before all of its execs.
const host::Process* first_image(const Node& node, const host::Process* process) {
    constexpr std::size_t most_execs = 16;
    for (std::size_t steps = 0; steps < most_execs; ++steps) {
        const auto* before = node.processes.find(process->execed_from);
        if (before == nullptr || before->pid != process->pid) {
            break;
        }
        process = before;
    }
    return process;
}

} // namespace

void describe_actor(const Node& node, host::ProcessRef who, const audit::EventId& at, const ProfileSet& profiles,
                    Actor& actor) {
    if (const auto kind = actor.exe ? profiles.kind_of(*actor.exe) : std::nullopt) {
        actor.kind = to_string(*kind);
    }
    for (const auto* above : node.processes.ancestors(who, ancestors_shown * 2)) {
        const auto kind = above->exe ? profiles.kind_of(*above->exe) : std::nullopt;
        if (kind && above->pid != actor.pid && tells_of_the_way_in(*kind)) {
            actor.below = WayIn{std::string(base::basename(*above->exe)), std::string(to_string(*kind))};
            break;
        }
    }
    if (const auto* process = node.processes.find(who)) {
        actor.login = node.login_of(process->session, at);
    }
}

void note_message(Node& node, const audit::EventId& event, const audit::Message& message) {
    using Kind = audit::Message::Kind;
    if (message.result != "success") {
        return;
    }
    if (message.kind == Kind::service_start && message.pid == 1U && message.unit) {
        node.service_starts.keep({event, cut(*message.unit)});
    } else if (message.kind == Kind::login && message.session) {
        node.logins.keep({event, *message.session, cut(message.address), cut(message.terminal), cut(message.account)});
    }
}

std::optional<std::string> unit_started(const Node& node, const std::vector<const host::Process*>& ancestors,
                                        const host::Process& run, const audit::EventId& now) {
    constexpr std::int64_t before_ms = 1000; // the fork may be logged behind the start
    constexpr std::int64_t after_ms = 5000;  // a service that says itself when it is ready
    const host::Process* top = &run;
    for (const auto* ancestor : ancestors) {
        if (ancestor->pid == 1) {
            break;
        }
        top = ancestor;
    }
    const auto* first = first_image(node, top);
    const auto* parent = node.processes.find(first->forked_from);
    if (first->born != host::Born::fork || parent == nullptr || parent->pid != 1) {
        return std::nullopt; // adopted by pid 1, or nobody saw its fork
    }
    const auto born = first->created.time_ms;
    std::set<std::string> units;
    for (const auto& start : node.service_starts) {
        const auto time = start.event.time_ms;
        if (start.event < now && time >= born - before_ms && time <= born + after_ms) {
            units.insert(start.unit);
        }
    }
    const auto forks = std::count_if(node.births.begin(), node.births.end(), [&](const Birth& birth) {
        return birth.parent == 1 && birth.time_ms >= born - after_ms && birth.time_ms <= born + after_ms;
    });
    if (units.size() != 1 || forks != 1) {
        return std::nullopt;
    }
    const auto& unit = *units.begin();
    return unit.find('.') == std::string::npos ? unit + ".service" : unit; // systemd leaves the ending out
}

namespace {

void add_ownership(const Ownership& owners, const Node& node, const host::Process* run,
                   const std::vector<const host::Process*>& ancestors, Finding& finding) {
    finding.interpreter.package = owners.package_of(finding.interpreter.exe);
    finding.interpreter.altered = owners.altered(finding.interpreter.exe);
    for (auto& ancestor : finding.ancestors) {
        ancestor.package = owners.package_of(ancestor.exe);
    }
    finding.code.package = owners.package_of(finding.code.path);
    finding.code.packaged_path = owners.packaged_path(finding.code.path);
    finding.code.altered = owners.altered(finding.code.path);
    finding.code.owners_known = owners.given();
    if (!finding.process.user) {
        finding.process.user = owners.user_name(finding.process.uid);
    }
    if (run != nullptr) {
        finding.process.unit = owners.unit_of(*run);
        if (!finding.process.unit && !owners.in_container()) {
            finding.process.unit = unit_started(node, ancestors, *run, finding.events.front());
        }
    }
}

void judge_expectation(const Baseline& baseline, Finding& finding) {
    if (!baseline.given()) {
        finding.degraded.push_back(Degraded::no_baseline);
    }
    finding.expectation = baseline.judge(facts_of(finding));
    if (finding.expectation.package_unchecked) {
        finding.degraded.push_back(Degraded::package_unchecked);
    }
    if (finding.expectation.verdict == Verdict::expected) {
        if (auto doubt = doubt_of(finding, finding.expectation.rule.value_or(""))) {
            finding.expectation = std::move(*doubt);
        }
    }
}

} // namespace

void add_circumstances(const Node& node, host::ProcessRef process, const EngineOptions& options, Finding& finding) {
    bool cut = false;
    const auto ancestors = node.processes.ancestors(process, ancestors_shown, &cut);
    for (const auto* one : ancestors) {
        finding.ancestors.push_back({.pid = one->pid, .exe = one->exe, .argv = one->argv, .uid = one->uid});
    }
    finding.process.login = node.login_of(finding.process.session, finding.events.front());
    add_ownership(Ownership(node, options.inventory.get(), ancestors), node, node.processes.find(process), ancestors,
                  finding);
    judge_expectation(options.baseline, finding);
    const bool orphan = finding.process.ppid.value_or(0) > 1 &&
                        std::none_of(finding.ancestors.begin(), finding.ancestors.end(),
                                     [&](const Ancestor& one) { return one.pid != finding.process.pid; });
    if (cut || orphan) {
        finding.degraded.push_back(Degraded::no_lineage);
    }
}

Finding describe_image(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                       std::string_view profile) {
    const auto& image = *node.processes.find(who);
    Finding finding;
    finding.time_ms = event.id.time_ms;
    if (!node.name.empty()) {
        finding.node = node.name;
    }
    finding.interpreter.exe = image.exe;
    finding.interpreter.profile = profile;
    auto& process = finding.process;
    process.pid = image.pid;
    process.ppid = image.ppid;
    process.credentials() = image.credentials();
    process.comm = image.comm;
    process.argv = image.argv;
    finding.events.push_back(event.id);
    if (event.partial) {
        finding.degraded.push_back(Degraded::partial_event);
    }
    if (event.syscall.pid == image.pid) { // its own event says more
        const auto text = [](audit::Text value) { return value ? std::optional<std::string>(*value) : std::nullopt; };
        process.user = text(event.syscall.user);
        process.tty = text(event.syscall.tty);
        process.cwd = text(event.cwd);
        if (image.born == host::Born::exec) {
            finding.events.push_back(image.created);
        }
    }
    return finding;
}

} // namespace luatrail::detect
