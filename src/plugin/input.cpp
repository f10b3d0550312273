#include "plugin/input.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "luatrail/base/error.hpp"

namespace luatrail::plugin {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// struct audit_dispatcher_header (libaudit.h): version 0 or 1, its own size, a record's type and size, 32 bits each.
bool is_binary_protocol(std::string_view bytes) {
    struct Header {
        std::uint32_t version, header_size, type, size;
    } header{};
    if (bytes.size() < sizeof header) {
        return false;
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    return header.version <= 1 && header.header_size == sizeof header;
}

} // namespace

void Input::start() {
    struct stat status {};
    if (::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode)) {
        read_file(); // epoll refuses regular files
        return;
    }
    error_code error;
    input_.assign(::dup(STDIN_FILENO), error);
    if (error) {
        throw base::Error(fmt::format("standard input: {}; auditd gives a plugin its records there", error.message()));
    }
    read_stream();
}

bool Input::hand_on(std::size_t size) {
    const std::string_view bytes(buffer_.data(), size);
    if (!std::exchange(begun_, true) && is_binary_protocol(bytes)) {
        stopped_ = true;
        ended_(End::binary, {});
    } else {
        take_(bytes);
    }
    return !stopped_;
}

void Input::read_stream() {
    input_.async_read_some(asio::buffer(buffer_), [this](const error_code& error, std::size_t size) {
        if (error == asio::error::eof) {
            ended_(End::of_input, {});
        } else if (error) {
            if (!stopped_) {
                ended_(End::trouble, error.message());
            }
        } else if (hand_on(size)) {
            read_stream();
        }
    });
}

void Input::read_file() {
    asio::post(io_, [this] {
        const auto size = stopped_ ? 0 : ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
        if (size < 0) {
            ended_(End::trouble, std::strerror(errno));
        } else if (size == 0) {
            ended_(End::of_input, {});
        } else if (hand_on(static_cast<std::size_t>(size))) {
            read_file();
        }
    });
}

void Input::close_and_drain() {
    if (!input_.is_open()) {
        return;
    }
    ::shutdown(input_.native_handle(),
               SHUT_RD); // auditd gives a socket; of a pipe what comes after the last look is lost
    error_code error;
    input_.non_blocking(true, error);
    for (;;) {
        const auto size = input_.read_some(asio::buffer(buffer_), error);
        if (error || size == 0 || !hand_on(size)) {
            break;
        }
    }
    ::close(STDIN_FILENO);
    stop();
}

void Input::stop() {
    stopped_ = true;
    error_code ignored;
    input_.close(ignored);
}

} // namespace luatrail::plugin
