// Globs over paths and words.
#pragma once

#include <string_view>

namespace luatrail::base {

// fnmatch-like glob over bytes: * (does not match '/'), ** (matches '/' too), ?, [a-z], [!a]; backslash escapes. Linear
// in practice: no exponential backtracking. The whole text must match.
bool glob_match(std::string_view pattern, std::string_view text);

} // namespace luatrail::base
