#include "detect/lone_exec.hpp"

#include <algorithm>

namespace luatrail::detect {

bool lacks_its_process(const audit::TypedEvent& event) {
    return event.is_exec() && !event.syscall.pid && event.syscall.success != false;
}

audit::TypedEvent with_its_program(const audit::TypedEvent& event, Programs& programs, const ProfileSet& profiles) {
    auto completed = event;
    if (event.syscall.exe) {
        return completed;
    }
    // The file that was executed is the first item; of a #! script it is the script, and its interpreter, the next one,
    // is the first word.
    const auto known = std::find_if(event.paths.begin(), event.paths.end(), [&](const audit::PathItem& item) {
        return item.name && programs.of(*item.name, profiles).interpreter;
    });
    const auto& argv = event.execve.argv;
    if (known != event.paths.end()) {
        completed.syscall.exe = known->name;
    } else if (!event.paths.empty() && event.paths.front().name) {
        completed.syscall.exe = event.paths.front().name;
    } else if (!argv.empty()) {
        completed.syscall.exe = argv.front();
    }
    return completed;
}

} // namespace luatrail::detect
