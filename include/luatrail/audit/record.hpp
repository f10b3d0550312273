// One audit record: the unit that every source yields and the assembler joins into events.
//
// This header is the vocabulary between source and audit: it is the one header of this room that
// source/ includes (docs/design.md, "Rooms").
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace luatrail::audit {

// The identity of an event within one node: the stamp of "audit(SECONDS.MILLIS:SERIAL)".
// Time is that of the system call's entry, the serial that of the first record written, so either
// may go back while the other rises (kernel/audit.c, audit_log_start). Serials restart at boot and
// DAEMON_* records have a series of their own: only time and serial together name an event.
struct EventId {
    std::int64_t time_ms = 0; // milliseconds since 1970-01-01T00:00:00Z
    std::uint64_t serial = 0;

    friend bool operator==(const EventId&, const EventId&) = default;
    friend auto operator<=>(const EventId&, const EventId&) = default;
};

template <class Archive>
void transfer(Archive& archive, EventId& id) { // base/pack.hpp
    archive(id.time_ms, id.serial);
}

// "1795572010.666:108286", the form `ausearch -a` and a finding's `events` use.
std::string to_string(const EventId& id);

// Reads the form above; nothing when the text is not wholly an id.
std::optional<EventId> parse_event_id(std::string_view text);

// A record type: the numbers of linux/audit.h. 0 stands for a name that libaudit does not know.
using RecordType = std::uint16_t;
// linux/audit.h since 5.16; libaudit 3.0.9's headers lack them.
inline constexpr RecordType audit_uringop = 1336, audit_openat2 = 1337;

// "SYSCALL", "UNKNOWN[1420]" and "1300" alike. Case-sensitive, as auditd writes it.
RecordType record_type_from_name(std::string_view name);

// The inverse: "SYSCALL"; "UNKNOWN[n]" where libaudit has no name.
std::string record_type_name(RecordType type);

// A record as it stood on its line. All views show the bytes of the source that yielded it and live
// until the sink's call returns: a sink that keeps a record copies it.
struct Record {
    EventId id;
    RecordType type = 0;
    std::string_view type_name; // as written: "SYSCALL", "UNKNOWN[1420]", "1300"
    std::string_view node;      // of "node=...", else the host that a relay put before the record; empty: neither
    std::string_view body;      // the raw fields after "audit(...): ", without line end
    std::string_view enriched;  // what followed 0x1D (auditd's log_format=ENRICHED); may be empty
    bool relayed = false;       // the node is the relay's word, not the record's
};

} // namespace luatrail::audit

template <>
struct std::hash<luatrail::audit::EventId> {
    std::size_t operator()(const luatrail::audit::EventId& id) const noexcept {
        const auto mixed =
            (static_cast<std::uint64_t>(id.time_ms) * 0x9e3779b97f4a7c15ULL) ^ (id.serial * 0xc2b2ae3d27d4eb4fULL);
        return static_cast<std::size_t>(mixed ^ (mixed >> 29U));
    }
};
