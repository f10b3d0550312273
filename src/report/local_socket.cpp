#include "report/local_socket.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "luatrail/base/error.hpp"

namespace luatrail::report {

LocalSocket::LocalSocket(std::string path) : path_(std::move(path)) {
    if (path_.empty() || path_.size() >= sizeof(sockaddr_un::sun_path)) {
        throw base::Error("syslog.socket: " + path_ + ": not a socket's path; it has 1 to 107 bytes");
    }
}

int LocalSocket::open() {
    close();
    int error = connect(SOCK_DGRAM);
    if (error == EPROTOTYPE) {
        error = connect(SOCK_STREAM);
    }
    return error;
}

int LocalSocket::connect(int type) {
    const int fd = ::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(fd);
        return error;
    }
    fd_ = fd;
    stream_ = type == SOCK_STREAM;
    return 0;
}

void LocalSocket::close() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = -1;
    written_ = 0;
}

LocalSocket::Sent LocalSocket::failed() {
    error_ = errno;
    switch (error_) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case EINTR:
        return Sent::later;
    case EMSGSIZE:
        return Sent::too_big;
    default:
        return Sent::lost;
    }
}

LocalSocket::Sent LocalSocket::send(std::string_view message) {
    constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (!stream_) {
        return ::send(fd_, message.data(), message.size(), flags) < 0 ? failed() : Sent::whole;
    }
    std::string framed(message);
    framed += '\0';
    while (written_ < framed.size()) {
        const auto count = ::send(fd_, framed.data() + written_, framed.size() - written_, flags);
        if (count < 0) {
            const Sent result = failed();
            return result == Sent::later && written_ > 0 ? Sent::partly : result;
        }
        written_ += static_cast<std::size_t>(count);
    }
    written_ = 0;
    return Sent::whole;
}

} // namespace luatrail::report
