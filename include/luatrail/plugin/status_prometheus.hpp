// The running plugin's status as a textfile for Prometheus.
#pragma once

#include <string>
#include <string_view>

namespace luatrail::plugin {

// From the status file's JSON. Throws base::Error when it is none.
std::string status_prometheus(std::string_view json);

} // namespace luatrail::plugin
