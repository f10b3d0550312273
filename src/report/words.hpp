// The schema's names in words, for a person. Those of what is chained: chain_words.hpp.
#pragma once

#include <string_view>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

std::string_view words(detect::Origin origin);
std::string_view words(detect::IdentifiedBy identification);
std::string_view words(detect::Degraded degraded); // a whole sentence

} // namespace luatrail::report
