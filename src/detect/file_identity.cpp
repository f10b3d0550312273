#include "detect/file_identity.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "detect/chain.hpp"
#include "detect/conclude.hpp"
#include "detect/ownership.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {
namespace {

constexpr std::size_t ancestors_asked = 8;

// Overlays, tmpfs and the like have no block device of their own (major 0), and an overlay gives a file the inode's
// number that it has in the layer where it lies (overlayfs.rst, "Inode properties"). The file behind is the one of that
// number and name on a device where something was written.
const host::File* behind_overlay(const Node& node, const host::FileId& id, std::string_view name) {
    if (!host::is_anonymous(id) || node.files.find(id) != nullptr) {
        return nullptr;
    }
    for (const auto dev : node.devices) {
        const auto* file = dev == id.dev ? nullptr : node.files.find(host::FileId{dev, id.inode});
        const bool same_name = file != nullptr && !file->deleted &&
                               std::any_of(file->paths.begin(), file->paths.end(), [name](const std::string& path) {
                                   return base::basename(path) == base::basename(name);
                               });
        if (same_name) {
            return file;
        }
    }
    return nullptr;
}

struct Seen {
    bool other = false;
    const host::File* behind = nullptr; // an overlay shows this one
};

// What lies at the path of an expected script.
Seen see(Node& node, std::string_view path, const host::FileId& id, const EngineOptions& options, std::int64_t now_ms) {
    Seen seen;
    seen.behind = behind_overlay(node, id, path);
    seen.other = seen.behind != nullptr || node.known_files.is_other(path, id, now_ms, options.window_ms);
    return seen;
}

Expectation instead_of(const Expectation& expected, ExpectationReason reason, std::string path,
                       std::optional<std::string> package) {
    return {.verdict = Verdict::unexpected,
            .reason = reason,
            .nearest = expected.rule,
            .path = std::move(path),
            .package = std::move(package)};
}

void mark_other(Finding& finding) {
    auto& marks = finding.degraded;
    if (std::find(marks.begin(), marks.end(), Degraded::other_file) == marks.end()) {
        marks.push_back(Degraded::other_file);
    }
}

// An opening that shows that a run is not expected.
struct Contradiction {
    Run* run = nullptr;
    ExpectationReason reason = ExpectationReason::other_file;
    std::string path;                     // of the file that was opened
    std::optional<std::string> package{}; // which brought it otherwise
};

std::optional<Contradiction> by_script(Node& node, Run& run, std::string path, const host::FileId& id,
                                       const audit::TypedEvent& event, const EngineOptions& options, FollowUps& drops) {
    if (std::exchange(run.script_seen, true) || has_own_files(node, run.process, options)) {
        return std::nullopt;
    }
    if (recall(run, node.name).expectation.searched) { // it was expected elsewhere, and lies below the cwd
        return Contradiction{&run, ExpectationReason::other_file, std::move(path)};
    }
    const auto seen = see(node, path, id, options, event.id.time_ms);
    if (seen.behind != nullptr) {
        for (auto& entry :
             drops_of_opened(node, options, ChainKind::script_drop, *seen.behind, run.process, event.id.time_ms)) {
            drops.push_back({&run, std::move(entry), event.id});
        }
    }
    return seen.other ? std::optional(Contradiction{&run, ExpectationReason::other_file, std::move(path)})
                      : std::nullopt;
}

std::optional<Contradiction> by_module(const Node& node, Run& run, std::string path, const EngineOptions& options) {
    const auto owner = options.inventory ? options.inventory->owner(path) : std::nullopt;
    if (!owner || owner->file->kind != inventory::FileKind::lua_module ||
        owner->file->state != inventory::DigestState::differs || has_own_files(node, run.process, options)) {
        return std::nullopt;
    }
    return Contradiction{&run, ExpectationReason::altered_module, std::move(path), owner->package->name};
}

std::vector<Contradiction> contradictions(Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                          const EngineOptions& options, FollowUps& drops) {
    std::vector<Contradiction> made;
    for (auto* run : node.runs_above(who)) {
        if (!run->expected || !is_run_itself(node, *run, who)) {
            continue;
        }
        for (const auto& item : event.paths) {
            const auto id = item.nametype == audit::PathItem::NameType::normal ? host::file_id_of(item) : std::nullopt;
            if (!id || !item.name) {
                continue;
            }
            auto path = node.files.resolve(*item.name, event.cwd, std::nullopt, true).path;
            auto found = path == run->script_path ? by_script(node, *run, std::move(path), *id, event, options, drops)
                                                  : by_module(node, *run, std::move(path), options);
            if (found) { // one is enough
                made.push_back(std::move(*found));
                break;
            }
        }
    }
    return made;
}

} // namespace

bool has_own_files(const Node& node, host::ProcessRef process, const EngineOptions& options) {
    const auto ancestors = node.processes.ancestors(process, ancestors_asked);
    return Ownership(node, options.inventory.get(), ancestors).in_container();
}

void check_script(Node& node, const Invoked& run, const EngineOptions& options, Finding& finding) {
    const bool asked = finding.expectation.verdict == Verdict::expected && run.script && run.script_path;
    if (!asked || has_own_files(node, run.process, options)) {
        return;
    }
    const auto seen = see(node, *run.script_path, *run.script, options, finding.time_ms);
    if (!seen.other) {
        return;
    }
    finding.expectation =
        instead_of(finding.expectation, ExpectationReason::other_file, *run.script_path, std::nullopt);
    mark_other(finding);
    if (seen.behind != nullptr) {
        for (auto& entry :
             drops_of_opened(node, options, ChainKind::script_drop, *seen.behind, run.process, finding.time_ms)) {
            finding.chain.push_back(std::move(entry));
        }
    }
}

FollowUps contradict_runs(Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                          const EngineOptions& options, const std::function<void(const Finding&)>& report) {
    FollowUps drops;
    if (!options.baseline.given() || node.runs.empty()) { // nothing is expected
        return drops;
    }
    for (auto& by : contradictions(node, event, who, options, drops)) {
        auto finding = recall(*by.run, node.name);
        finding.expectation = instead_of(finding.expectation, by.reason, std::move(by.path), std::move(by.package));
        if (by.reason == ExpectationReason::other_file) {
            mark_other(finding);
        }
        finding.follows = finding.id.empty() ? std::nullopt : std::optional(finding.id);
        finding.events.push_back(event.id);
        if (conclude(node, to_string(by.reason), finding)) {
            report(finding);
        }
        node.runs.change(*by.run, std::move(finding));
    }
    return drops;
}

void note_change(Node& node, const audit::TypedEvent& event) {
    std::array<std::optional<host::FileId>, 2> parents; // a rename has two
    std::size_t known_parents = 0;
    for (const auto& item : event.paths) {
        using NameType = audit::PathItem::NameType;
        const auto id = host::file_id_of(item);
        if (item.nametype == NameType::parent) {
            parents[known_parents++ % parents.size()] = id;
            continue;
        }
        if ((item.nametype != NameType::create && item.nametype != NameType::remove) || !id) {
            continue;
        }
        if (item.nametype == NameType::create &&
            std::find(node.devices.begin(), node.devices.end(), id->dev) == node.devices.end()) {
            node.devices[node.next_device++ % node.devices.size()] = id->dev;
        }
        if (item.nametype == NameType::remove) {
            node.programs.forget(*id);
        }
        if (item.name && node.known_files.may_hold(base::basename(*item.name))) {
            for (std::size_t at = 0; at < std::clamp<std::size_t>(known_parents, 1, parents.size()); ++at) {
                node.known_files.changed(node.files.resolve(*item.name, event.cwd, parents[at], true).path, id->dev);
            }
        }
    }
}

} // namespace luatrail::detect
