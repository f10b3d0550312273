// Another program, run to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace luatrail::base {

struct Ended {
    std::string out; // what it wrote to standard output
    int status = 0;  // as it exited; 128 after a signal
};

// Runs the program at the path argv[0], which is not looked for, with this process's environment and standard error.
// Nothing when it can't be started.
std::optional<Ended> run_command(std::vector<std::string> argv);

} // namespace luatrail::base
