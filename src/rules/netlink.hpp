// A netlink socket to the kernel's audit.
#pragma once

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include <libaudit.h>

#include "luatrail/base/error.hpp"
#include "luatrail/rules/loaded.hpp"

namespace luatrail::rules {

class Netlink {
  public:
    // Throws base::Error.
    Netlink() : fd_(audit_open()) {
        if (fd_ < 0) {
            throw base::Error(fmt::format("the kernel's audit: {}; is it built in?", std::strerror(errno)));
        }
    }
    ~Netlink() { audit_close(fd_); }
    Netlink(const Netlink&) = delete;
    Netlink& operator=(const Netlink&) = delete;
    int fd() const { return fd_; }

  private:
    int fd_;
};

inline KernelStatus status_of(const audit_status& from) {
    return {from.enabled, from.failure, from.pid, from.rate_limit, from.backlog_limit, from.lost, from.backlog};
}

} // namespace luatrail::rules
