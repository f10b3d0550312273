// A file that is there whole or not at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace luatrail::base {

struct WriteError {
    std::string path; // what it was about
    int error = 0;    // errno
};

// A new file ("PATH.new", created, never followed) takes the old one's name. `sync`: waits until the disk has it.
std::optional<WriteError> write_atomically(const std::string& path, std::string_view head, std::string_view bytes,
                                           mode_t mode, bool sync);

} // namespace luatrail::base
