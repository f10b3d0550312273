// Data files that are compiled in (cmake/embed.cmake).
#pragma once

#include <string_view>

namespace luatrail::embedded {

extern const std::string_view interpreters_toml; // config/interpreters.toml

} // namespace luatrail::embedded
