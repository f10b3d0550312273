// Proposed expectations as a file that a person reviews.
#pragma once

#include <string>
#include <vector>

#include "luatrail/detect/proposal.hpp"

namespace luatrail::report {

// As detect::Baseline::load() takes it; what a proposal rests on stands as comments above it. Safe for a terminal.
std::string to_toml(const std::vector<detect::Proposal>& proposals, const std::vector<std::string>& head);

// "lua5.4 by www-data: /tmp/x.lua (2 runs): script-drop chained with it". Raw bytes, as in the two below.
std::string words(const detect::LeftOut& left_out);

std::string words(detect::TooWide why, const detect::Rule& rule);

} // namespace luatrail::report
