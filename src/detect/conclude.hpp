// Severity, events and id of a finding, from what it holds.
#pragma once

#include <string_view>

#include "detect/node.hpp"
#include "luatrail/detect/finding.hpp"

namespace luatrail::detect {

// Fills severity, events and id from what the finding holds. False: no finding (an expected run).
bool conclude(const Node& node, std::string_view kind, Finding& finding);

} // namespace luatrail::detect
