#include "plugin/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/digest.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::plugin {
namespace {

using base::Descriptor;

// f_type of statfs(2). Not all stand in linux/magic.h.
constexpr std::array<std::uint32_t, 18> remote{NFS_SUPER_MAGIC,
                                               SMB_SUPER_MAGIC,
                                               CIFS_SUPER_MAGIC,
                                               SMB2_SUPER_MAGIC,
                                               CODA_SUPER_MAGIC,
                                               AFS_SUPER_MAGIC,
                                               AFS_FS_MAGIC,
                                               CEPH_SUPER_MAGIC,
                                               V9FS_MAGIC,
                                               OCFS2_SUPER_MAGIC,
                                               FUSE_SUPER_MAGIC,
                                               AUTOFS_SUPER_MAGIC,
                                               0x0BD00BD0U /* lustre */,
                                               0x47504653U /* gpfs */,
                                               0x19830326U /* beegfs */,
                                               0x01161970U /* gfs2 */,
                                               0xAAD7AAEAU /* panfs */,
                                               0x564CU /* ncp */};

std::string_view kind_of(mode_t mode) {
    if (S_ISFIFO(mode)) {
        return "a FIFO or a pipe";
    }
    if (S_ISCHR(mode) || S_ISBLK(mode)) {
        return "a device";
    }
    return S_ISSOCK(mode) ? "a socket" : S_ISDIR(mode) ? "a directory" : "no regular file";
}

std::int64_t ns_of(const timespec& time) {
    constexpr std::int64_t second = 1'000'000'000;
    return time.tv_sec * second + time.tv_nsec;
}

void push_parts(std::vector<std::string>& parts, std::string_view path) { // the first at the back
    const auto kept = parts.size();
    for (const auto part : base::full_fields(path, '/')) {
        if (part != ".") {
            parts.emplace_back(part);
        }
    }
    std::reverse(parts.begin() + static_cast<std::ptrdiff_t>(kept), parts.end());
}

std::string link_text(int link) {
    std::array<char, 4096> text{};
    const auto size = ::readlinkat(link, "", text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

// By O_PATH, as a process sees the path whose root directory this is: links, absolute ones too, and ".." stay below it.
// As openat2(2) does with RESOLVE_IN_ROOT; but a filter of system calls cannot see what that one opens for.
int open_in_root(int root, std::string_view path, bool follow) {
    constexpr int most_links = 40;                // path_resolution(7)
    std::vector<std::unique_ptr<Descriptor>> way; // below the root; at its back is where we are
    std::vector<std::string> parts;               // still to go
    push_parts(parts, path);
    for (int links = 0; !parts.empty();) {
        const auto name = std::move(parts.back());
        parts.pop_back();
        if (name == "..") {
            if (!way.empty()) {
                way.pop_back();
            }
            continue;
        }
        const int from = way.empty() ? root : way.back()->get();
        auto next = std::make_unique<Descriptor>(::openat(from, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat status {};
        if (next->get() < 0 || ::fstat(next->get(), &status) != 0) {
            return -1;
        }
        if (!S_ISLNK(status.st_mode)) {
            way.push_back(std::move(next));
            continue;
        }
        if (!follow || ++links > most_links) {
            errno = ELOOP;
            return -1;
        }
        const auto text = link_text(next->get());
        if (text.starts_with('/')) {
            way.clear();
        }
        push_parts(parts, text);
    }
    return way.empty() ? ::openat(root, ".", O_PATH | O_CLOEXEC) : way.back()->release();
}

int open_root(const std::string& root) {
    return ::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool open_to(const struct stat& status, std::uint32_t uid, mode_t own, mode_t others) {
    return uid == 0 || (status.st_mode & (status.st_uid == uid ? own : others)) != 0;
}

} // namespace

const std::string* Digests::find(const Key& key) const {
    const auto found = known_.find(key);
    return found == known_.end() ? nullptr : &found->second;
}

void Digests::remember(const Key& key, std::string digest) {
    constexpr std::size_t most = 256;
    if (known_.size() >= most) {
        known_.clear();
    }
    known_[key] = std::move(digest);
}

SafeFile::SafeFile(int path_fd) : path_(std::make_shared<Descriptor>(path_fd)) {
    struct statfs system {};
    if (path_fd < 0) {
        why_ = fmt::format("not there to open: {}", std::strerror(errno));
    } else if (::fstat(path_fd, &status_) != 0 || ::fstatfs(path_fd, &system) != 0) {
        why_ = fmt::format("not to be looked at: {}", std::strerror(errno));
    } else if (!S_ISREG(status_.st_mode)) {
        why_ = fmt::format("not read: {}", kind_of(status_.st_mode));
    } else if (std::find(remote.begin(), remote.end(), static_cast<std::uint32_t>(system.f_type)) != remote.end()) {
        why_ = "not read: it lies on a network or FUSE mount";
    } else if (system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC) {
        why_ = "not read: the kernel makes it up";
    }
    numbers_lie_ = system.f_type == OVERLAYFS_SUPER_MAGIC;
}

SafeFile SafeFile::open(const std::string& path) {
    return SafeFile(::open(path.c_str(), O_PATH | O_CLOEXEC));
}

SafeFile SafeFile::open_below(const std::string& root, const std::string& path) {
    const Descriptor directory(open_root(root));
    return SafeFile(directory.get() < 0 ? -1 : open_in_root(directory.get(), path, true));
}

bool SafeFile::readable_by(std::uint32_t uid, const std::string& root) const {
    if (!open_to(status_, uid, S_IRUSR, S_IROTH)) {
        return false;
    }
    std::array<char, 4096> name{};
    const auto size = ::readlink(fmt::format("/proc/self/fd/{}", path_->get()).c_str(), name.data(), name.size());
    const Descriptor directory(open_root(root));
    if (uid == 0) {
        return true;
    }
    if (size <= 0 || name[0] != '/' || static_cast<std::size_t>(size) == name.size() || directory.get() < 0) {
        return false;
    }
    const std::string path(name.data(), static_cast<std::size_t>(size)); // without links
    for (auto slash = path.rfind('/'); slash != std::string::npos;
         slash = slash == 0 ? std::string::npos : path.rfind('/', slash - 1)) {
        const Descriptor above(open_in_root(directory.get(), path.substr(0, std::max<std::size_t>(slash, 1)), false));
        struct stat status {};
        if (above.get() < 0 || ::fstat(above.get(), &status) != 0 || !open_to(status, uid, S_IXUSR, S_IXOTH)) {
            return false;
        }
    }
    return true;
}

bool SafeFile::has_inode(std::uint64_t inode) const {
    return numbers_lie_ || status_.st_ino == inode;
}

std::int64_t SafeFile::modified_ms() const {
    return ns_of(status_.st_mtim) / 1'000'000;
}

int SafeFile::reopen() const {
    return ::open(fmt::format("/proc/self/fd/{}", path_->get()).c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void SafeFile::digest(Digests& known, detect::FileEvidence& file) const {
    file.size = static_cast<std::uint64_t>(status_.st_size);
    const auto complain = [&file](std::string text) {
        file.note = file.note ? fmt::format("{}; {}", *file.note, text) : std::move(text);
    };
    if (*file.size > most_hashed) {
        complain(fmt::format("larger than {} MiB: not hashed", most_hashed / (1024UL * 1024)));
        return;
    }
    const Digests::Key key{status_.st_dev, status_.st_ino, status_.st_size, ns_of(status_.st_mtim),
                           ns_of(status_.st_ctim)};
    if (const auto* digest = known.find(key)) {
        file.sha256 = *digest;
        return;
    }
    base::Sha256 sha256;
    const Descriptor content(reopen());
    std::array<char, 64UL * 1024> buffer{};
    std::uint64_t read_bytes = 0;
    ssize_t size = -1;
    while (content.get() >= 0 && read_bytes <= most_hashed &&
           (size = ::read(content.get(), buffer.data(), buffer.size())) > 0) {
        sha256.add({buffer.data(), static_cast<std::size_t>(size)});
        read_bytes += static_cast<std::uint64_t>(size);
    }
    if (size != 0) {
        complain(size > 0 ? "it grows: not hashed" : fmt::format("cannot be read: {}", std::strerror(errno)));
        return;
    }
    file.sha256 = sha256.hex();
    if (read_bytes == *file.size) {
        known.remember(key, *file.sha256);
    } else {
        file.size = read_bytes;
    }
}

std::string SafeFile::head() const {
    const Descriptor content(reopen());
    std::array<char, 1024> buffer{};
    const auto size = content.get() < 0 ? 0 : ::read(content.get(), buffer.data(), buffer.size());
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

} // namespace luatrail::plugin
