// An audit event: all records of one (node, time, serial).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "luatrail/audit/record.hpp"

namespace luatrail::audit {

// Why an event is considered whole. `end_of_event` and `content` say that nothing is missing; the others that nothing
// more was waited for.
enum class Closed : std::uint8_t {
    end_of_event, // an EOE record
    content,      // SYSCALL, all its `items` PATH records, and PROCTITLE, the last one that the kernel writes
    aged,         // long enough ago
    evicted,      // the tables were full: may be a part
    end_of_input,
};

// The views live until the handler returns.
struct Event {
    EventId id;
    std::string_view node;           // empty: none
    std::span<const Record> records; // in order of arrival, without exact duplicates and without EOE
    Closed closed = Closed::aged;
    bool trimmed = false; // more records came than an event may hold: some EXECVE arguments are missing
    bool late = false;    // records of an event that had already been handed over
};

class EventSink {
  public:
    virtual ~EventSink() = default;
    virtual void on_event(const Event& event) = 0;
};

} // namespace luatrail::audit
