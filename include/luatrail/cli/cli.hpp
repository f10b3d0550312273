// The command line.
#pragma once

namespace luatrail::cli {

// Parses the command line, runs the command; never throws. Returns the exit status.
int run(int argc, char** argv);

} // namespace luatrail::cli
