// A non-blocking client of a local (AF_UNIX) syslog socket.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace luatrail::report {

class LocalSocket {
  public:
    // Throws base::Error when the path does not fit into a socket address (107 bytes).
    explicit LocalSocket(std::string path);
    ~LocalSocket() { close(); }
    LocalSocket(const LocalSocket&) = delete;
    LocalSocket& operator=(const LocalSocket&) = delete;

    // 0, or the errno of why not. Never waits.
    int open();
    void close();
    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; } // -1 when closed

    enum class Sent {
        whole,
        partly,  // a stream took a part: call again with the same message
        later,   // no room: wait until writable
        too_big, // the socket will never take it
        lost,    // the connection is gone, see error()
    };
    Sent send(std::string_view message);
    int error() const { return error_; } // errno of the last send that was not `whole`

  private:
    int connect(int type);
    Sent failed();

    std::string path_;
    int fd_ = -1;
    bool stream_ = false;
    std::size_t written_ = 0; // of a message that a stream took partly
    int error_ = 0;
};

} // namespace luatrail::report
