// Grammars as the data file has them.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "luatrail/base/toml_reader.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

using Grammars = std::map<std::string, Grammar, std::less<>>;

// Adds the grammars of a [grammar] table. They may extend each other in any order, and those that are there already.
void read_grammars(const base::TomlTable& all, Grammars& grammars);

} // namespace luatrail::detect
