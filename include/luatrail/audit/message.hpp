// Records that are not of a system call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "luatrail/audit/record.hpp"

namespace luatrail::audit {

// What a record says that is not of a system call: of systemd, PAM and package managers (in msg='...'), of auditd, of
// a signal that the kernel sent, of a policy that denied.
struct Message {
    enum class Kind : std::uint8_t {
        service_start,   // of systemd
        software_update, // of a package manager
        login,           // of PAM: USER_LOGIN, USER_START
        configuration,   // of the kernel's audit: CONFIG_CHANGE
        daemon_start,
        daemon_end,
        signal, // SECCOMP
        denial, // AVC
    } kind = Kind::service_start;
    std::string text; // the record's body
    std::optional<std::string> unit, operation, address, terminal, account, exe, result;
    std::optional<std::uint32_t> pid, auid, session;
};
// Nothing for any other record.
std::optional<Message> message_of(const Record& record);

} // namespace luatrail::audit
