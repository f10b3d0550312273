// Lexical path arithmetic: no file system is asked, for the log may be another machine's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace luatrail::host {

inline constexpr std::size_t path_bytes = 4096; // PATH_MAX: a longer name was none that the kernel took

// Collapses "//", "." and "..". Relative names stay relative.
std::string normal_path(std::string_view path);

// `name` against `directory`, normal; `name` alone when it is absolute.
std::string join_path(std::string_view directory, std::string_view name);

} // namespace luatrail::host
