#include "plugin/status_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/atomic_file.hpp"
#include "luatrail/base/descriptor.hpp"
#include "luatrail/plugin/status_prometheus.hpp"
#include "plugin/privileges.hpp"

namespace luatrail::plugin {
namespace {

// A file of this user in a directory of others (hand_over.hpp).
bool rewrite(const std::string& path, std::string_view content) {
    constexpr off_t most_bytes = 1024L * 1024;
    const base::Descriptor file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > most_bytes) {
        return false;
    }
    std::string whole(content);
    whole.resize(std::max(whole.size(), static_cast<std::size_t>(status.st_size)), '\n');
    return ::write(file.get(), whole.data(), whole.size()) == static_cast<ssize_t>(whole.size());
}

std::optional<std::string> write(const std::string& path, const char* key, std::string_view content) {
    constexpr mode_t readable = 0644;
    const auto failed = base::write_atomically(path, {}, content, readable, false);
    if (!failed || (failed->error == EACCES && rewrite(path, content))) {
        return std::nullopt;
    }
    const auto remedy = failed->error == EACCES ? fmt::format("let {} write in its directory", own_name())
                                                : std::string("make the directory");
    return fmt::format("{}: {}; {}, or name another file as {}", failed->path, std::strerror(failed->error), remedy,
                       key);
}

} // namespace

std::optional<std::string> write_status(const setup::Config::Status& config, const Status& status) {
    const auto json = to_json(status);
    auto failed = write(config.file, "status.file", json);
    if (config.prometheus) {
        if (auto other = write(*config.prometheus, "status.prometheus", status_prometheus(json)); other && !failed) {
            failed = std::move(other);
        }
    }
    return failed;
}

} // namespace luatrail::plugin
