// luatrail plugin: records on standard input, findings to syslog, until the input's end or a signal.
#pragma once

#include <string>

namespace luatrail::plugin {

// `given`: the file was named, so that there is nothing to run with when it is missing; otherwise the defaults do.
// Returns the exit status; throws base::Error for what is wrong at the start.
int run_plugin(const std::string& config_path, bool given);

} // namespace luatrail::plugin
