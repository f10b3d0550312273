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

} // namespace

void note_program(Node& node, const audit::TypedEvent& event, host::ProcessRef process, const Program& program,
                  const EngineOptions& options) {
    const auto id = id_of_interpreter(event);
    const auto exe = event.syscall.exe.value_or("");
    if (!id || exe.empty()) {
        return;
    }
    const bool ran_as_another = node.programs.ran_as_another(*id, exe, event.id.time_ms);
    if (!program.manager) {
        return;
    }
    const bool impostor =
        ran_as_another || made_by_others(node, *id, options.profiles) ||
        (!has_own_files(node, process, options) && node.known_files.is_other(exe, *id, event.id.time_ms, never));
    if (impostor) {
        node.impostors.keep({event.id, process});
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
