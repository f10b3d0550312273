#include "detect/places.hpp"

#include <algorithm>
#include <utility>

#include <sys/mount.h>

#include "detect/bounds.hpp"
#include "detect/file_identity.hpp"
#include "luatrail/base/text.hpp"

namespace luatrail::detect {
namespace {

// Of one place the newest counts: the same mount again and again pushes out no other.
void remember(Node& node, const audit::TypedEvent& event, host::ProcessRef who, host::ChangeKind kind,
              const host::ResolvedPath& place) {
    host::Change change;
    change.kind = kind;
    change.event = event.id;
    change.path = cut(place.path);
    change.path_uncertain = place.uncertain;
    change.by = who;
    change.by_pid = event.syscall.pid.value_or(0);
    change.by_exe = cut(event.syscall.exe);
    change.by_uid = event.syscall.uid;
    auto& places = node.moved_directories;
    const auto known = std::find_if(places.begin(), places.end(), [&change](const MovedDirectory& one) {
        return one.change.path == change.path && one.change.kind == change.kind;
    });
    MovedDirectory made{event.id, std::move(change), event.syscall.euid.value_or(0) != 0};
    if (known == places.end()) {
        places.keep(std::move(made));
    } else {
        places.replace(known, std::move(made));
    }
}

void forget(Node& node, const std::string& path) {
    auto& places = node.moved_directories;
    for (auto one = places.begin(); one != places.end(); ++one) {
        if (one->change.kind == host::ChangeKind::mount && one->change.path == path) {
            places.replace(one, {});
        }
    }
}

// In the order in which the kernel asks (fs/namespace.c, path_mount): new flags of what is mounted, and how a mount
// propagates, bring no files; a bind with such flags does.
bool only_changes_flags(const audit::Syscall& call) {
    if (call.call != audit::Call::mount) {
        return false;
    }
    const auto flags = (call.a[3] & MS_MGC_MSK) == MS_MGC_VAL ? call.a[3] & ~std::uint64_t{MS_MGC_MSK} : call.a[3];
    constexpr std::uint64_t propagation = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED;
    return (flags & MS_REMOUNT) != 0 || ((flags & MS_BIND) == 0 && (flags & propagation) != 0);
}

// mount(2) looks its target up first, move_mount(2) last. Nothing where a descriptor stands for it.
const audit::PathItem* target_of(const audit::TypedEvent& event) {
    const audit::PathItem* target = nullptr;
    for (const auto& item : event.paths) {
        if (item.nametype == audit::PathItem::NameType::normal &&
            (target == nullptr || event.syscall.call == audit::Call::move_mount)) {
            target = &item;
        }
    }
    return target == nullptr || !target->name || target->name->empty() ? nullptr : target;
}

bool is_mount_helper(std::string_view exe) {
    const auto name = base::basename(exe);
    return name == "mount" || name.starts_with("mount.") || name.starts_with("fusermount");
}

// The program that a process runs, or the one that started mount(8) and its helpers, mounts for the system.
bool mounts_for_others(const Node& node, host::ProcessRef who, const ProfileSet& profiles) {
    constexpr std::size_t asked = 8;
    const auto is_one = [&](const host::Process& process) {
        return process.exe && node.files.find(*process.exe) == nullptr &&
               (profiles.is(ProgramKind::service_manager, *process.exe) ||
                profiles.is(ProgramKind::remote_login, *process.exe) ||
                profiles.is(ProgramKind::container_runtime, *process.exe));
    };
    const auto* image = node.processes.find(who);
    const auto above = node.processes.ancestors(who, asked);
    std::size_t climbed = 0;
    while (image != nullptr && !is_one(*image)) {
        if (!is_mount_helper(image->exe.value_or(""))) {
            return false;
        }
        if (climbed == above.size()) {
            return image->ppid == 1U; // of a mount unit
        }
        image = above[climbed++];
    }
    return image != nullptr;
}

bool covers(const MovedDirectory& place, std::string_view path) {
    const std::string_view above = place.change.path;
    if (above.empty() || !path.starts_with(above)) {
        return false;
    }
    const auto rest = path.substr(above.size());
    const bool mounted = place.change.kind == host::ChangeKind::mount;
    return (!rest.empty() && rest.front() == '/') || (mounted && rest.empty());
}

bool concerns(const Node& node, const MovedDirectory& place, host::ProcessRef run, const EngineOptions& options) {
    if (place.own_namespace && !node.processes.same_tree(place.change.by, run)) {
        return false;
    }
    return has_own_files(node, place.change.by, options) || !has_own_files(node, run, options);
}

// A directory that is bound over itself, so that it can be remounted with other flags.
bool binds_on_itself(const audit::TypedEvent& event, const audit::PathItem& target) {
    return event.syscall.call == audit::Call::mount && (event.syscall.a[3] & MS_BIND) != 0 &&
           std::all_of(event.paths.begin(), event.paths.end(),
                       [&](const audit::PathItem& item) {
                           return host::file_id_of(item) && host::file_id_of(item) == host::file_id_of(target);
                       }) &&
           event.paths.size() > 1;
}

} // namespace

void note_moved(Node& node, const host::FileEvent& file, host::ProcessRef who) {
    constexpr std::uint32_t type_mask = 0170000, type_directory = 0040000;
    if (file.call != audit::Effect::rename) {
        return;
    }
    for (const auto& item : file.typed->paths) {
        const bool directory = item.mode && (*item.mode & type_mask) == type_directory;
        if (item.nametype == audit::PathItem::NameType::create && directory && item.name) {
            remember(node, *file.typed, who, host::ChangeKind::rename,
                     node.files.resolve(*item.name, file.typed->cwd, {}, file.at_cwd_second));
        }
    }
}

void note_mounted(Node& node, const audit::TypedEvent& event, host::ProcessRef who, const EngineOptions& options) {
    if (event.syscall.success == false) {
        return;
    }
    const auto call = event.syscall.call;
    const bool places = call == audit::Call::mount || call == audit::Call::move_mount;
    const bool removes = call == audit::Call::umount2;
    const auto* target = places || removes ? target_of(event) : nullptr;
    if (target == nullptr) {
        return;
    }
    const auto place = node.files.resolve(*target->name, event.cwd, {}, true);
    if (removes) {
        constexpr std::uint64_t detach = MNT_DETACH; // who is in there stays in there
        if ((event.syscall.a[1] & detach) == 0) {
            forget(node, place.path);
        }
    } else if (place.path.size() > 1 && !only_changes_flags(event.syscall) && !binds_on_itself(event, *target) &&
               !mounts_for_others(node, who, options.profiles)) {
        remember(node, event, who, host::ChangeKind::mount, place);
    }
}

std::vector<const MovedDirectory*> places_above(const Node& node, std::string_view path, host::ProcessRef run,
                                                const EngineOptions& options) {
    constexpr std::size_t most = 4;
    std::vector<const MovedDirectory*> found;
    for (auto place = node.moved_directories.rbegin(); place != node.moved_directories.rend() && found.size() < most;
         ++place) {
        if (covers(*place, path) && concerns(node, *place, run, options)) {
            found.push_back(&*place);
        }
    }
    std::reverse(found.begin(), found.end());
    return found;
}

bool lies_unwatched(const Node& node, const Invoked& run, const EngineOptions& options, const Finding& finding) {
    const bool asked = node.rules_known && !options.watched.empty() && run.script_path && !run.path_uncertain &&
                       !finding.has(ChainKind::script_drop) && finding.expectation.verdict != Verdict::expected;
    return asked &&
           std::none_of(options.watched.begin(), options.watched.end(),
                        [&](const std::string& directory) {
                            return run.script_path->size() > directory.size() &&
                                   run.script_path->starts_with(directory) &&
                                   (*run.script_path)[directory.size()] == '/';
                        }) &&
           !has_own_files(node, run.process, options);
}

} // namespace luatrail::detect
