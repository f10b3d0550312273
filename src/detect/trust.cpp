#include "detect/trust.hpp"

#include <algorithm>
#include <limits>

#include "detect/bounds.hpp"
#include "detect/file_identity.hpp"
#include "detect/identify.hpp"

namespace luatrail::detect {
namespace {

constexpr std::size_t ancestors_asked = 8;
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

bool made_by_others(const Node& node, const host::FileId& id, const ProfileSet& profiles) {
    const auto* file = node.files.find(id);
    return file != nullptr && std::any_of(file->changes.begin(), file->changes.end(), [&](const host::Change& change) {
               return !change.by_exe || !profiles.is(ProgramKind::package_manager, *change.by_exe);
           });
}

// A package manager that root runs, or what it started: it puts new files in the place of old ones, and no rule asks
// for what it does. Starting programs (dpkg-deb, scriptlets) before and after each package, it tells that it is at
// work.
bool is_at_work(const Node& node, const audit::TypedEvent& event, host::ProcessRef process, const Program& program,
                const ProfileSet& profiles) {
    const auto above = node.processes.above(process);
    const auto* starter = node.processes.find(above);
    const bool started = starter != nullptr && starter->exe && profiles.is(ProgramKind::package_manager, *starter->exe);
    return event.syscall.uid == 0U && (program.manager || started) &&
           !is_impostor(node, program.manager ? process : above, event.id.time_ms);
}

void note_replaced(Node& node, host::ProcessRef process, const EngineOptions& options) {
    if (has_own_files(node, process, options)) {
        return;
    }
    node.known_files.may_have_changed([&options](std::string_view path) {
        return !options.profiles.is(ProgramKind::package_manager, path) && options.inventory->owner(path);
    });
}

} // namespace

void note_program(Node& node, const audit::TypedEvent& event, host::ProcessRef process, const Program& program,
                  const EngineOptions& options) {
    const auto id = id_of_interpreter(event);
    const auto exe = event.syscall.exe.value_or("");
    if (!id || exe.empty()) {
        return;
    }
    const bool ran_as_another = node.programs.ran_as_another(*id, exe, event.id.time_ms);
    const bool impostor =
        program.manager &&
        (ran_as_another || made_by_others(node, *id, options.profiles) ||
         (!has_own_files(node, process, options) && node.known_files.is_other(exe, *id, event.id.time_ms, never)));
    if (impostor) {
        node.impostors.keep({event.id, process});
    }
    if (options.inventory && !node.known_files.empty() && is_at_work(node, event, process, program, options.profiles)) {
        note_replaced(node, process, options);
    }
}

bool is_impostor(const Node& node, host::ProcessRef process, std::int64_t time_ms) {
    if (node.impostors.lost_since(time_ms)) {
        return true; // it may have been one that had to go
    }
    if (node.impostors.empty()) {
        return false;
    }
    const auto* own = node.processes.find(process);
    for (std::size_t steps = 0; process && own != nullptr && steps < ancestors_asked; ++steps) {
        const auto* image = node.processes.find(process);
        if (image == nullptr || image->exe != own->exe) {
            break;
        }
        if (std::any_of(node.impostors.begin(), node.impostors.end(),
                        [process](const Impostor& one) { return one.process == process; })) {
            return true;
        }
        process = node.processes.above(process);
    }
    return false;
}

bool is_impostor(const Node& node, const host::Change& change) {
    return is_impostor(node, change.by, change.event.time_ms);
}

} // namespace luatrail::detect
