#include "detect/places.hpp"

#include <algorithm>
#include <utility>

#include <sys/mount.h>

#include "detect/bounds.hpp"
#include "detect/file_identity.hpp"

namespace luatrail::detect {
namespace {

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
    node.moved_directories.keep({event.id, std::move(change)});
}

// mount(2): a bind or a move brings other files, as a file system does; new flags of what is mounted, and how a mount
// propagates, do not.
bool only_changes_flags(const audit::Syscall& call) {
    constexpr std::uint64_t flags = MS_REMOUNT | MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED;
    return call.call == audit::Call::mount && (call.a[3] & flags) != 0;
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

// The program that a process runs, or the one that started it, mounts for the system.
bool mounts_for_others(const Node& node, host::ProcessRef who, const ProfileSet& profiles) {
    constexpr std::size_t asked = 2;
    const auto is_one = [&](const host::Process& process) {
        return process.exe && node.files.find(*process.exe) == nullptr &&
               (profiles.is(ProgramKind::service_manager, *process.exe) ||
                profiles.is(ProgramKind::container_runtime, *process.exe));
    };
    const auto* own = node.processes.find(who);
    if (own == nullptr) {
        return false;
    }
    const auto above = node.processes.ancestors(who, asked);
    const auto* parent = above.empty() ? nullptr : above.front();
    return is_one(*own) || (parent != nullptr && is_one(*parent)) || (parent == nullptr && own->ppid == 1U);
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
    const auto call = event.syscall.call;
    const bool places = call == audit::Call::mount || call == audit::Call::move_mount;
    const auto* target = places && event.syscall.success != false ? target_of(event) : nullptr;
    if (target == nullptr || only_changes_flags(event.syscall)) {
        return;
    }
    const auto place = node.files.resolve(*target->name, event.cwd, {}, true);
    if (place.path.size() > 1 && !mounts_for_others(node, who, options.profiles)) {
        remember(node, event, who, host::ChangeKind::mount, place);
    }
}

bool brought(const Node& node, const MovedDirectory& place, std::string_view path, host::ProcessRef run,
             const EngineOptions& options) {
    const std::string_view above = place.change.path;
    if (above.empty() || !path.starts_with(above)) {
        return false;
    }
    const auto rest = path.substr(above.size());
    const bool mounted = place.change.kind == host::ChangeKind::mount;
    const bool below = (!rest.empty() && rest.front() == '/') || (mounted && rest.empty());
    return below && (has_own_files(node, place.change.by, options) || !has_own_files(node, run, options));
}

} // namespace luatrail::detect
