// Landlock (linux/landlock.h; Linux 5.13): where a process may still write, whatever its user may. What a system call
// filter cannot see, it sees: paths.
#pragma once

#include <string>
#include <vector>

namespace luatrail::plugin {

// Where files may be made, replaced and deleted, and files that may be rewritten.
struct WritePlaces {
    std::vector<std::string> directories, files;
};

// From now on, for good, this thread and those that it starts: nothing else is written, nothing executed, nobody beyond
// signalled, no TCP used (as far as the kernel knows these). Behind become(), which sets no_new_privs. Returns the
// version of Landlock that the kernel has; 0: it has none, and nothing is limited.
int limit_writes(const WritePlaces& places);

} // namespace luatrail::plugin
