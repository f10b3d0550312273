// Findings to a local syslog socket, without ever blocking the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "luatrail/detect/finding.hpp"
#include "luatrail/report/syslog.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace boost::asio {
class io_context;
}

namespace luatrail::report {

struct SyslogOptions {
    // AF_UNIX datagram; a stream socket is tried when that type is refused (EPROTOTYPE), its messages then end in a NUL
    // as those of syslog(3) do.
    std::string socket = "/dev/log";
    // Messages that wait, and their bytes. Beyond either the lowest severity goes first (newest of it), counted.
    std::size_t queue = 10000;
    std::size_t queue_bytes = 16UL * 1024 * 1024;
    SyslogFormat format;
};

struct SyslogCounters {
    std::uint64_t sent = 0;       // findings that the socket took
    std::uint64_t dropped = 0;    // findings that the full queue or the socket (EMSGSIZE) refused
    std::uint64_t reconnects = 0; // connections after the first one, or after a first attempt that failed
    std::uint64_t queued = 0;     // messages that wait
};

// A bounded queue before a non-blocking socket on the caller's io_context. A message is sent within on_finding when the
// socket takes it, so it needs no turn of the event loop. A dead or missing socket is retried (100 ms doubling to 10 s)
// while something waits; the first failure and each recovery is reported once to `log`. After drops, one summary
// message says how many findings of which severity were lost (to_syslog of LostFindings): as soon as the queue has
// fallen to half. Nothing here throws but the constructor: base::Error, when the socket's path is too long for a socket
// address. The io_context outlives the sink.
class SyslogSink : public detect::FindingSink {
  public:
    SyslogSink(boost::asio::io_context& io, SyslogOptions options, std::function<void(const std::string&)> log);
    ~SyslogSink() override;
    void on_finding(const detect::Finding& finding) override;
    // On the findings' way, as a medium one.
    void notify(const Notice& notice);
    // Tries to send what is queued, for at most `ms` milliseconds (shutdown), without the event loop. Returns how many
    // messages remain.
    std::size_t drain(int ms);
    const SyslogCounters& counters() const;

    // The messages that wait, for the next start; load() queues them again. Throws base::UnpackError.
    void save(base::Packer& out) const;
    void load(base::Unpacker& in);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::report
