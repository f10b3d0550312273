#include "luatrail/base/console.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/clock.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"

namespace luatrail::base {

void say(std::string_view text) {
    const auto line = fmt::format("luatrail: {}\n", base::printable(text));
    std::fwrite(line.data(), 1, line.size(), stderr);
}

bool wants_colour(std::FILE* file) {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    const bool refused =
        (no_colour != nullptr && *no_colour != '\0') || (term != nullptr && std::string_view(term) == "dumb");
    return !refused && ::isatty(::fileno(file)) == 1;
}

std::size_t columns(std::FILE* file) {
    constexpr std::size_t usual = 80;
    winsize size{};
    if (::ioctl(::fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col < 40) {
        return usual;
    }
    return size.ws_col;
}

void secure_standard_streams() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
            // Read-only also for output: writing then fails and is noticed. open(2) takes the lowest free number.
            if (::open("/dev/null", descriptor == 2 ? O_WRONLY : O_RDONLY) < 0) {
                std::_Exit(exit_trouble);
            }
        }
    }
    std::signal(SIGPIPE, SIG_IGN);
}

File open_for_writing(const std::string& path) {
    constexpr mode_t owner_only = 0600;
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only);
    if (descriptor < 0) {
        const int error = errno;
        throw base::Error(
            fmt::format("{}: {}; name a file in a directory that you may write", path, std::strerror(error)));
    }
    return File(::fdopen(descriptor, "w"));
}

void Progress::advance(std::uint64_t bytes) {
    done_ += bytes;
    const auto now = base::monotonic_ms();
    if (!shown_ || total_ == 0 || now - last_ms_ < 100) {
        return;
    }
    last_ms_ = now;
    drawn_ = true;
    const auto percent = std::min<std::uint64_t>(done_ * 100 / total_, 100);
    std::fputs(fmt::format("\r{:3}% of {:.1f} MB read", percent, static_cast<double>(total_) / 1e6).c_str(), stderr);
    std::fflush(stderr);
}

void Progress::clear() {
    if (drawn_) {
        std::fputs("\r\033[K", stderr);
        std::fflush(stderr);
        drawn_ = false;
    }
}

} // namespace luatrail::base
