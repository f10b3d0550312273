// The inputs that paths stand for.
#pragma once

#include <string>
#include <vector>

#include "luatrail/source/input.hpp"

namespace luatrail::source {

// Expands directories (regular files in them that are named like audit logs: *.log, *.log.N, with .gz, .xz, .zst, and
// archives; not recursive beyond one level) and orders all inputs by the id of their first record, so that rotated logs
// given in any order are read in the order of their content; inputs without one keep their place after those with one.
// Where a log begins before the one that its number says is older (audit.log.1 before audit.log) and its own clock was
// wrong, the numbers count. A plain file into which rotated logs were put together in another order than their time's
// becomes several inputs (Input::piece_at).
// "-" is read where it stands and stops the ordering of nothing else. Appends to `failures` what is missing,
// unreadable, empty directories, and so on.
std::vector<Input> collect_inputs(const std::vector<std::string>& paths, std::vector<InputFailure>& failures);

// Whether the inputs' paths look like those of several hosts: one log of the same name for each of several.
bool are_of_several_hosts(const std::vector<Input>& inputs);

} // namespace luatrail::source
