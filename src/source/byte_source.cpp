#include "source/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace luatrail::source {
namespace {

constexpr std::size_t buffer_size = 1024UL * 1024;

} // namespace

std::string_view ByteSource::next() {
    if (!ahead_.empty()) {
        return std::exchange(ahead_, {});
    }
    return read();
}

std::string_view ByteSource::peek(std::size_t wanted) {
    if (ahead_.empty()) {
        ahead_ = read();
    }
    while (ahead_.size() < wanted) {
        if (gathered_.empty()) {
            gathered_ = ahead_;
        }
        const auto more = read();
        gathered_.append(more);
        ahead_ = gathered_;
        if (more.empty()) {
            break;
        }
    }
    return ahead_;
}

FileSource::FileSource(const std::string& path, Position position)
    : is_stdin_(path == "-"), descriptor_(is_stdin_ ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      report_(std::move(position)) {
    if (descriptor_ < 0) {
        error_number_ = errno;
    } else {
        posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
}

FileSource::FileSource(const std::string& path, std::uint64_t at, std::uint64_t size, Position position)
    : FileSource(path, std::move(position)) {
    left_ = size;
    if (error_number_ == 0 && ::lseek(descriptor_, static_cast<off_t>(at), SEEK_SET) < 0) {
        error_number_ = errno;
    }
}

FileSource::~FileSource() {
    if (!is_stdin_ && descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

std::string_view FileSource::read() {
    if (error_number_ != 0) {
        return {};
    }
    buffer_.resize(buffer_size);
    ssize_t got = 0;
    do {
        got = ::read(descriptor_, buffer_.data(), std::min<std::uint64_t>(buffer_.size(), left_));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        error_number_ = errno;
        return {};
    }
    position_ += static_cast<std::uint64_t>(got);
    left_ -= static_cast<std::uint64_t>(got);
    if (report_) {
        report_(position_);
    }
    return {buffer_.data(), static_cast<std::size_t>(got)};
}

std::string FileSource::error() const {
    if (error_number_ == 0) {
        return {};
    }
    const auto text = std::generic_category().message(error_number_);
    return position_ == 0 ? text : fmt::format("{} at byte {}", text, position_);
}

} // namespace luatrail::source
