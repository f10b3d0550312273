// What relays put in front of a record: syslog, the kernel's ring buffer, the journal.
#pragma once

#include <string_view>

namespace luatrail::source {

// The text behind a known relay's prefix, which then has to be a record from its first byte on; empty when the line has
// no such prefix. The program name that a relay writes is the whole trust: a record is taken behind `audispd:` or
// `kernel:`, never behind `sshd[1]:` or a user's own tag, because what follows those is free text that anybody can
// choose.
std::string_view after_relay_prefix(std::string_view line);

} // namespace luatrail::source
