#include "plugin/state_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/atomic_file.hpp"
#include "luatrail/base/descriptor.hpp"
#include "luatrail/base/file.hpp"
#include "luatrail/base/sealed.hpp"

namespace luatrail::plugin {
namespace {

using base::Descriptor;

// To be raised with every change of a transfer() function.
constexpr base::Seal seal{"state", 14};
constexpr std::size_t most_state_bytes = std::size_t{1} << 30U;

// Takes the first line away. Why the rest is nothing to trust; empty when it is.
std::string check(std::string& content, const struct stat& status) {
    if (status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return "others may write it";
    }
    std::string_view rest;
    switch (base::check_seal(seal, content, rest)) {
    case base::Sealed::foreign:
        return "it is no state of luatrail";
    case base::Sealed::other_version:
        return "another version of luatrail wrote it";
    case base::Sealed::altered:
        return "it was cut or altered";
    case base::Sealed::whole:
        content.erase(0, content.size() - rest.size());
        break;
    }
    return "";
}

} // namespace

void StateFile::lock(std::chrono::milliseconds patience) {
    constexpr mode_t own = 0600;
    constexpr auto turn = std::chrono::milliseconds(5);
    const auto path = directory_ + "/lock";
    lock_ = std::make_shared<Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, own));
    const auto end = std::chrono::steady_clock::now() + patience;
    while (lock_->get() >= 0 && ::flock(lock_->get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK &&
           std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(turn);
    }
}

std::optional<std::string> StateFile::load(std::string& complaint) const {
    const Descriptor file(::open(path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (file.get() < 0) {
        if (errno != ENOENT) {
            complaint = fmt::format("{}: {}; starting without what was known", path(), std::strerror(errno));
        }
        return std::nullopt;
    }
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        reject("it is no file", complaint);
        return std::nullopt;
    }
    auto content = base::read_all(file.get(), most_state_bytes + 1);
    const auto why =
        content && content->size() <= most_state_bytes ? check(*content, status) : std::string("it cannot be read");
    if (!why.empty()) {
        reject(why, complaint);
        return std::nullopt;
    }
    return content;
}

void StateFile::reject(std::string_view why, std::string& complaint) const {
    const auto aside = path() + ".bad";
    const bool moved = std::rename(path().c_str(), aside.c_str()) == 0;
    complaint = fmt::format("{}: {}; {}, starting without what was known", path(), why,
                            moved ? "set aside as " + aside : "it could not be set aside");
}

std::optional<std::string> StateFile::save(std::string_view bytes, bool sync) const {
    constexpr mode_t own = 0600;
    if (const auto failed = base::write_atomically(path(), base::seal_line(seal, bytes), bytes, own, sync)) {
        return fmt::format("{}: {}; what is known now will be lost with the end of the plugin: make the directory, "
                           "or name another as state.directory",
                           failed->path, std::strerror(failed->error));
    }
    return std::nullopt;
}

} // namespace luatrail::plugin
