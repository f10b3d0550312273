// Files read whole, and where they really are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace luatrail::base {

// What follows in `fd`, to its end or to so many bytes. Nothing where reading fails; errno says why.
std::optional<std::string> read_all(int fd, std::size_t most);

// The same of a file, whose last component may be a link. A file that grows, or that never ends, is cut at `most`.
std::optional<std::string> read_file(const std::string& path, std::size_t most);

// Absolute and without links, "." and ".."; nothing where a part is missing or may not be searched (realpath(3)).
std::optional<std::string> real_path(const std::string& path);

} // namespace luatrail::base
