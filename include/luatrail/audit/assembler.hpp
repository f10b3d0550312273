// Joins records into events by node, time and serial.
//
// Records of several events interleave, come late, twice, without EOE, and with time or serial going back
// (docs/design.md, "Events"). Events of processes and files are handed over in the order in which their first
// such record came, so that a live feed (which has EOE) and a saved log (which has none) yield the same order; an event
// that is still open holds back those behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "luatrail/audit/event.hpp"
#include "luatrail/audit/record.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace luatrail::audit {

struct AssemblerLimits {
    // An event is closed by age when the newest time seen is `timeout_ms` past what it was when the event began, and
    // `quiet_records` other records came since its last.
    std::int64_t timeout_ms = 2000; // auditd's own end_of_event_timeout
    std::size_t quiet_records = 1024;
    // Whatever the clock says, after this many records without one of its own: a clock that was set back must not keep
    // events open.
    std::size_t stale_records = 16384;
    // Live: an event is closed at EOE or when its content is whole. Off for saved logs, where late records can be
    // waited for at no cost.
    bool eager = false;
    std::size_t max_events = 65536;              // in flight
    std::size_t max_bytes = 12UL * 1024 * 1024;  // of memory: events in flight, their texts and buffers
    std::size_t max_event_bytes = 1024UL * 1024; // of one event; EXECVE records alone may fill half of it
    std::size_t max_event_records = 4096;        // of one event: a new one is compared with each
};

struct AssemblerCounters {
    std::uint64_t records = 0;
    std::uint64_t events = 0;
    std::uint64_t duplicates = 0; // records dropped: the same text twice in one event
    std::uint64_t late = 0;       // records of events that had been handed over; EOE, which adds nothing, apart
    std::uint64_t evicted = 0;    // events closed because the tables were full
    std::uint64_t trimmed = 0;    // records dropped: the event was too large
};

class Assembler {
  public:
    // `sink` outlives the assembler.
    Assembler(const AssemblerLimits& limits, EventSink& sink);
    ~Assembler();
    Assembler(const Assembler&) = delete;
    Assembler& operator=(const Assembler&) = delete;

    void push(const Record& record);

    // Live: closes what began `timeout_ms` ago by the caller's clock (milliseconds, monotonic, any origin). Not needed
    // for saved logs.
    void tick(std::int64_t now_ms);

    // End of input: closes everything.
    void flush();

    // The records of the events in flight, for the next start; load() pushes them again. Throws base::UnpackError.
    void save(base::Packer& out) const;
    void load(base::Unpacker& in);

    std::size_t in_flight() const;
    std::size_t memory() const; // bytes, at most max_bytes and what it takes itself
    const AssemblerCounters& counters() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::audit
