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

// Whether a path leads to a file by a descriptor or a mapping of a process and not by its name: "/dev/fd/3",
// "/dev/stdin",
// "/proc/self/fd/0", "/proc/12/task/13/fd/3", "/proc/12/map_files/7f00-7f01", however many slashes and dots are in it.
bool names_descriptor(std::string_view path);

// What the kernel or a device shows under an absolute path: "/proc/self/environ", "/dev/loop0". No file holds it.
bool is_made_by_kernel(std::string_view path);

} // namespace luatrail::base
