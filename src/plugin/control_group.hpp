// The unit and the container of a process, as its control groups name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace luatrail::plugin {

// What cgroups(7) says of a process: /proc/PID/cgroup.
struct ControlGroup {
    std::optional<std::string> unit;      // of systemd, the innermost: "nginx.service", "session-3.scope"
    std::optional<std::string> container; // its id, or the name that lxc or systemd-nspawn give it
};
ControlGroup parse_cgroup(std::string_view text);

} // namespace luatrail::plugin
