#include "luatrail/base/atomic_file.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"

namespace luatrail::base {
namespace {

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return false;
        }
        bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return true;
}

} // namespace

std::optional<WriteError> write_atomically(const std::string& path, std::string_view head, std::string_view bytes,
                                           mode_t mode, bool sync) {
    const auto fresh = path + ".new";
    const auto failed = [&fresh](const std::string& what) {
        WriteError error{what, errno};
        ::unlink(fresh.c_str());
        return error;
    };
    ::unlink(fresh.c_str()); // of a former try, or somebody's link
    Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (file.get() < 0 || !write_all(file.get(), head) || !write_all(file.get(), bytes) ||
        (sync && ::fsync(file.get()) != 0) || file.close() != 0) {
        return failed(fresh);
    }
    if (std::rename(fresh.c_str(), path.c_str()) != 0) {
        return failed(path);
    }
    return std::nullopt;
}

} // namespace luatrail::base
