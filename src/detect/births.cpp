#include "detect/births.hpp"

#include <algorithm>

namespace luatrail::detect {

void note_birth(Node& node, const audit::TypedEvent& event, std::uint32_t parent, std::uint32_t child,
                host::ProcessRef process) {
    const auto known = std::find_if(node.births.rbegin(), node.births.rend(),
                                    [&](const Birth& birth) { return birth.pid == child && birth.parent == parent; });
    if (known != node.births.rend() && event.is_exec() && !known->ran) {
        auto birth = *known;
        birth.ran = true;
        node.births.replace(std::prev(known.base()), birth);
    }
    if (known != node.births.rend() && (event.is_exec() || known->process == process)) {
        return;
    }
    constexpr std::int64_t soon_ms = 1000; // the parent's record of a fork may come behind the child's exec
    if (known != node.births.rend() && !known->process && event.id.time_ms - known->time_ms < soon_ms) {
        auto birth = *known;
        birth.process = process;
        node.births.replace(std::prev(known.base()), birth);
        return;
    }
    node.births.keep(
        {.time_ms = event.id.time_ms, .pid = child, .parent = parent, .process = process, .ran = event.is_exec()});
}

bool in_pipeline(const Node& node, const host::Process& process, std::int64_t time_ms) {
    constexpr std::int64_t at_once_ms = 20; // a shell forks one member right after the other
    const auto own = std::find_if(node.births.rbegin(), node.births.rend(),
                                  [&](const Birth& birth) { return birth.pid == process.pid; });
    const auto born = own == node.births.rend() ? time_ms : own->time_ms;
    return std::any_of(node.births.rbegin(), node.births.rend(), [&](const Birth& birth) {
        if (birth.pid == process.pid || birth.parent != process.ppid || birth.time_ms < born - pipeline_ms ||
            birth.time_ms > born + pipeline_ms) {
            return false;
        }
        if (node.processes.current(birth.pid)) {
            return true;
        }
        // `echo CODE | lua`: a producer that ran no program may be over before the reader begins. A command that came
        // before ran one, and was waited for.
        return birth.process && !birth.ran && birth.time_ms >= born - at_once_ms;
    });
}

} // namespace luatrail::detect
