// A file descriptor that is closed with its scope.
#pragma once

#include <utility>

#include <unistd.h>

namespace luatrail::base {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {} // -1: none, as open(2) fails
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); } // who calls closes it
    void reset(int fd) {
        if (fd_ >= 0) {
            ::close(fd_);
        }
        fd_ = fd;
    }
    // As close(2), whose error may be that of an earlier write.
    int close() { return ::close(std::exchange(fd_, -1)); }

  private:
    int fd_;
};

} // namespace luatrail::base
