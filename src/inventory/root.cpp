#include "inventory/root.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/digest.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/file.hpp"

namespace luatrail::inventory {
namespace {

using base::Descriptor;

std::string link_of_descriptor(int fd) {
    std::array<char, 4096> name{};
    const auto size = ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), name.data(), name.size());
    return size > 0 ? std::string(name.data(), static_cast<std::size_t>(size)) : std::string();
}

std::optional<Root::Status> status_of(int fd) {
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) {
        return std::nullopt;
    }
    Root::Status made;
    made.type = S_ISREG(status.st_mode)   ? Root::Type::file
                : S_ISDIR(status.st_mode) ? Root::Type::directory
                : S_ISLNK(status.st_mode) ? Root::Type::link
                                          : Root::Type::other;
    made.size = static_cast<std::uint64_t>(status.st_size);
    made.executable = (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
    return made;
}

} // namespace

Root::Root(const std::string& path) : path_(path), directory_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (directory_.get() < 0) {
        throw base::Error(fmt::format("{}: {}; name the directory of a system's root", path, std::strerror(errno)));
    }
    real_ = link_of_descriptor(directory_.get());
    real_ = real_ == "/" ? "" : real_;
}

// glibc has no wrapper for openat2(2) before 2.43.
int Root::open(const std::string& path, int flags) const {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const auto fd = static_cast<int>(::syscall(SYS_openat2, directory_.get(), path.c_str(), &how, sizeof how));
    if (fd < 0 && errno == ENOSYS) {
        throw base::Error(
            fmt::format("{}: this kernel cannot keep links below a root (openat2, Linux 5.6); build the inventory "
                        "on a newer one",
                        path_));
    }
    return fd;
}

std::optional<Root::Status> Root::status(const std::string& path) const {
    return status_of(Descriptor(open(path, O_PATH | O_NOFOLLOW)).get());
}

std::optional<Root::Status> Root::target_status(const std::string& path) const {
    return status_of(Descriptor(open(path, O_PATH)).get());
}

std::optional<std::string> Root::read(const std::string& path, std::size_t most) const {
    const Descriptor file(open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    const auto status = status_of(file.get());
    if (!status || status->type != Type::file) {
        return std::nullopt;
    }
    return base::read_all(file.get(), std::min<std::size_t>(status->size, most));
}

std::vector<std::string> Root::list(const std::string& directory) const {
    std::vector<std::string> names;
    const int fd = open(directory, O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(fd < 0 ? nullptr : ::fdopendir(fd), &::closedir);
    while (const auto* const entry = entries ? ::readdir(entries.get()) : nullptr) {
        if (const std::string_view name = entry->d_name; name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<std::string> Root::link(const std::string& path) const {
    const Descriptor fd(open(path, O_PATH | O_NOFOLLOW));
    std::array<char, 4096> name{};
    const auto size = fd.get() < 0 ? -1 : ::readlinkat(fd.get(), "", name.data(), name.size());
    return size > 0 ? std::optional(std::string(name.data(), static_cast<std::size_t>(size))) : std::nullopt;
}

std::optional<std::string> Root::resolve(const std::string& path) const {
    const Descriptor fd(open(path, O_PATH));
    if (fd.get() < 0) {
        return std::nullopt;
    }
    auto name = link_of_descriptor(fd.get());
    if (!name.starts_with(real_)) {
        return std::nullopt; // moved away meanwhile
    }
    name.erase(0, real_.size());
    return name.empty() ? "/" : name;
}

std::optional<std::string> Root::digest(const std::string& path, std::size_t hex_digits) const {
    using base::DigestKind;
    constexpr std::size_t md5 = 32;
    constexpr std::size_t sha1 = 40;
    constexpr std::size_t sha256 = 64;
    const auto kind = hex_digits == md5      ? std::optional(DigestKind::md5)
                      : hex_digits == sha1   ? std::optional(DigestKind::sha1)
                      : hex_digits == sha256 ? std::optional(DigestKind::sha256)
                                             : std::nullopt;
    const auto content = kind ? read(path) : std::nullopt;
    return content ? base::digest_hex(*kind, *content) : std::nullopt;
}

std::string Root::canonical(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) {
        return path;
    }
    const auto directory = path.substr(0, slash);
    auto known = directories_.find(directory);
    if (known == directories_.end()) {
        auto resolved = directory.empty() ? std::optional<std::string>() : resolve(directory);
        known = directories_.emplace(directory, !resolved ? directory : *resolved == "/" ? "" : *resolved).first;
    }
    return known->second + path.substr(slash);
}

} // namespace luatrail::inventory
