#include "plugin/hand_over.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/descriptor.hpp"

namespace luatrail::plugin {
namespace {

using base::Descriptor;
using FileNames = std::vector<std::string>;

// Beside each "NAME.new" (base::write_atomically).
const FileNames of_state{"state", "state.bad", "lock", "inventory.wanted"};
const FileNames of_root{"inventory"}; // may lie there, too

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

bool among(const FileNames& names, std::string_view entry) {
    if (entry.ends_with(".new")) {
        entry.remove_suffix(4);
    }
    return std::find(names.begin(), names.end(), entry) != names.end();
}

// Whether there is nothing in it but files of such names.
bool holds_only(const std::string& directory, const FileNames& names) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), &::closedir);
    while (const auto* const entry = entries ? ::readdir(entries.get()) : nullptr) {
        const std::string_view name(entry->d_name);
        if (name != "." && name != ".." && !among(names, name) && !among(of_root, name)) {
            return false;
        }
    }
    return entries != nullptr;
}

bool may_write(const struct stat& directory, const Account& account) {
    const auto bits = directory.st_uid == account.uid   ? directory.st_mode >> 6U
                      : directory.st_gid == account.gid ? directory.st_mode >> 3U
                                                        : directory.st_mode;
    return (bits & 3U) == 3; // write and search
}

// As root without CAP_DAC_OVERRIDE, which the plugin gives up in any case.
bool root_may_write(const struct stat& directory) {
    return may_write(directory, {"", 0, 0});
}

// A file of which there is no other name: what a link leads to may be anybody's.
bool give(int directory, const std::string& name, const Account& account) {
    const Descriptor file(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    return file.get() >= 0 && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
           (status.st_uid == account.uid || ::fchownat(file.get(), "", account.uid, account.gid, AT_EMPTY_PATH) == 0);
}

// Returns whether the account can make files in it.
bool give_directory(const std::string& path, const FileNames& names, mode_t mode, const Account& account) {
    const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat status {};
    if (directory.get() < 0 || ::fstat(directory.get(), &status) != 0) {
        return false;
    }
    const bool roots_alone = status.st_uid == 0 && (status.st_mode & S_IWOTH) == 0 && holds_only(path, names);
    if (!may_write(status, account) && roots_alone) {
        static_cast<void>(::fchown(directory.get(), 0, account.gid) == 0 &&
                          ::fchmod(directory.get(), S_ISVTX | mode) == 0);
        ::fstat(directory.get(), &status);
    }
    if (!may_write(status, account)) {
        return false;
    }
    for (const auto& name : names) {
        give(directory.get(), name, account);
        give(directory.get(), name + ".new", account);
    }
    return true;
}

void give_output(const std::string& path, const Account& account, WritePlaces& places) {
    constexpr mode_t searchable = 0755;
    constexpr mode_t readable = 0644;
    const auto directory = directory_of(path);
    ::mkdir(directory.c_str(), searchable); // where it fails, so does the first write, and says why
    if (give_directory(directory, {name_of(path)}, searchable | S_IWGRP, account)) {
        places.directories.push_back(directory);
        return;
    }
    const Descriptor within(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const Descriptor made(
        ::openat(within.get(), name_of(path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, readable));
    if (within.get() >= 0 && give(within.get(), name_of(path), account)) {
        places.files.push_back(path);
    }
}

} // namespace

HandedOver hand_over(const setup::Config& config, const Account& account) {
    constexpr mode_t closed = 0770;
    HandedOver done;
    const auto& state = config.state.directory;
    if (give_directory(state, of_state, closed, account)) {
        done.places.directories.push_back(state);
    } else if (struct stat status{}; ::stat(state.c_str(), &status) == 0 && root_may_write(status)) {
        done.trouble = fmt::format("{} cannot write in {}, which others use, too: chgrp {} and chmod 1770 it, or name "
                                   "another directory as state.directory",
                                   account.name, state, account.gid);
        return done;
    }
    give_output(config.status.file, account, done.places);
    if (config.status.prometheus) {
        give_output(*config.status.prometheus, account, done.places);
    }
    done.places.directories.push_back(directory_of(config.detect.inventory)); // for INVENTORY.wanted
    return done;
}

WritePlaces write_places(const setup::Config& config) {
    constexpr mode_t searchable = 0755;
    ::mkdir(directory_of(config.status.file).c_str(), searchable);
    WritePlaces places;
    places.directories = {config.state.directory, directory_of(config.status.file),
                          directory_of(config.detect.inventory)};
    if (config.status.prometheus) {
        places.directories.push_back(directory_of(*config.status.prometheus));
    }
    return places;
}

} // namespace luatrail::plugin
