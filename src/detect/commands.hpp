// Lines in a program's own language that can bring Lua: vim's commands.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

struct Command {
    OptionRole role = OptionRole::data; // inline_code, script or sourced
    std::string_view argument;          // as written; shows the line's bytes
};

struct Commands {
    std::vector<Command> found;            // in their order, a few dozen at most
    std::vector<std::string_view> unknown; // those of which nothing is known, with their arguments
    bool whole = true;                     // false: the line goes on with more than are read
};

// The commands of a line that bring Lua. Read as vim does (cmdline.txt): commands
// are divided by bars; blanks, colons and a range may stand in front of each; a name may be cut down.
Commands read_commands(std::span<const CommandRule> known, std::string_view line);

} // namespace luatrail::detect
