// The least that a program over libauparse does: visit each record of a file.
#pragma once

#include <cstdint>

namespace bench {

struct Walked {
    std::uint64_t events = 0;
    std::uint64_t records = 0;
    bool readable = false;
};

Walked walk_auparse(const char* path);

} // namespace bench
