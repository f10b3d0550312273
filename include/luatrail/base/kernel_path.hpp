// Names of files as the kernel writes them (d_path): in exe= of a record, in links below /proc.
#pragma once

#include <string_view>

namespace luatrail::base {

// No directory names it any more. A file whose own name ends so looks the same.
bool is_deleted(std::string_view path);

// What it was called.
std::string_view without_deleted(std::string_view path);

// memfd_create(2): in memory, under a name that its maker chose.
bool is_memfd(std::string_view path);

} // namespace luatrail::base
