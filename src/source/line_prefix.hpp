// What relays put in front of a record: syslog, the kernel's ring buffer, the journal.
#pragma once

#include <string_view>

namespace luatrail::source {

// Both are parts of the line, and empty when it has no such prefix. `record` has to be a record from its first byte on.
struct Relayed {
    std::string_view record;
    std::string_view host; // as the relay wrote it; empty where it wrote none
};

// A record is taken behind any program's tag, but only where it follows at once: what stands in the midst of a message
// is free text. No tag is proof of who wrote it: whoever may write to /dev/log chooses one (`logger -t audispd`).
Relayed after_relay_prefix(std::string_view line);

} // namespace luatrail::source
