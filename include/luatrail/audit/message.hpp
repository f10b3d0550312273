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

// False for the records of which a system call's event consists: nearly all are of these, and none is a message.
inline bool may_be_message(RecordType type) {
    constexpr RecordType first = 1300, last = 1327, configuration = 1305, seccomp = 1326; // linux/audit.h
    return type < first || type > last || type == configuration || type == seccomp;
}

} // namespace luatrail::audit
