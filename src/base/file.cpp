#include "luatrail/base/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"

namespace luatrail::base {

std::optional<std::string> read_all(int fd, std::size_t most) {
    std::string bytes;
    std::array<char, 16UL * 1024> buffer;
    while (bytes.size() < most) {
        const auto got = ::read(fd, buffer.data(), std::min(buffer.size(), most - bytes.size()));
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return std::nullopt;
        }
        bytes.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    }
    return bytes;
}

std::optional<std::string> read_file(const std::string& path, std::size_t most) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    return file.get() < 0 ? std::nullopt : read_all(file.get(), most);
}

std::optional<std::string> real_path(const std::string& path) {
    std::error_code error;
    auto real = std::filesystem::canonical(path, error);
    return error ? std::nullopt : std::optional(real.string());
}

} // namespace luatrail::base
