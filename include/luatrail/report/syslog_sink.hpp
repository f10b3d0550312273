// Findings to a local syslog socket, without ever blocking the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "luatrail/detect/finding.hpp"
#include "luatrail/report/render.hpp"

namespace boost::asio {
class io_context;
}

namespace luatrail::report {

struct SyslogOptions {
    std::string socket = "/dev/log"; // AF_UNIX datagram; a stream socket is tried when the datagram type is refused (EPROTOTYPE)
    std::size_t queue = 10000;       // messages; beyond it the lowest severity goes first (newest of it), counted
    SyslogFormat format;
};

struct SyslogCounters {
    std::uint64_t sent = 0, dropped = 0, reconnects = 0, queued = 0;
};

// A bounded queue before a non-blocking socket on the caller's io_context. A dead or missing socket is retried (100 ms doubling to 10 s); the first
// failure and each recovery is told once to `log`. After drops, one summary message says how many findings of which severity were lost.
class SyslogSink : public detect::FindingSink {
  public:
    SyslogSink(boost::asio::io_context& io, SyslogOptions options, std::function<void(const std::string&)> log);
    ~SyslogSink() override;
    void on_finding(const detect::Finding& finding) override;
    // Tries to send what is queued, for at most `ms` milliseconds (shutdown). Returns how many remain.
    std::size_t drain(int ms);
    const SyslogCounters& counters() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::report
