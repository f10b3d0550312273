// The schema's names in words, for a person.
#pragma once

#include <string_view>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

std::string_view words(detect::Origin origin);
std::string_view words(detect::IdentifiedBy identification);
std::string_view words(detect::ChainKind kind);
std::string_view words(detect::How how);
std::string_view words(detect::Degraded degraded); // a whole sentence

} // namespace luatrail::report
