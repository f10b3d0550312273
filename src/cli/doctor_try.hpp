// luatrail doctor --try: whether a drop and its run arrive as a finding where findings should arrive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace luatrail::cli {

struct TryOptions {
    std::string config;            // the plugin's
    std::string auditd;            // the directory of auditd's configuration
    std::vector<std::string> logs; // receivers' files, beside the usual ones
    std::int64_t patience_ms = 30'000;
    bool json = false;
};

// Drops a script that does nothing in a directory of its own below /tmp, runs it, and waits until the finding has come
// through or the patience is over. Prints each link of the chain. Exit status: 0 it arrived, 1 a link is broken. Throws
// base::Error where it can't be tried (not root, no interpreter).
int try_out(const TryOptions& options);

} // namespace luatrail::cli
