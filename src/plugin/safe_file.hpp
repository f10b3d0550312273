// A file that may be anybody's, opened so that opening it can do nothing: no FIFO is waited for, no device touched, no
// mount asked that lies beyond a network or in another program's hands.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include <sys/stat.h>

#include "luatrail/base/descriptor.hpp"
#include "luatrail/detect/finding.hpp"

namespace luatrail::plugin {

inline constexpr std::uint64_t most_hashed = 32UL * 1024 * 1024; // bytes of one file

// SHA-256 of files that were read before, by what changes when they do.
class Digests {
  public:
    using Key = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>; // size, mtime and ctime in ns
    const std::string* find(const Key& key) const;
    void remember(const Key& key, std::string digest);

  private:
    std::map<Key, std::string> known_;
};

class SafeFile {
  public:
    static SafeFile open(const std::string& path);
    // As a process sees `path` whose root is `root` ("/proc/4711/root"): links, also absolute ones, stay below it.
    static SafeFile open_below(const std::string& root, const std::string& path);

    bool usable() const { return why_.empty(); }
    const std::string& why() const { return why_; }
    // By the permissions of the file and of the directories above it, group permissions apart: nobody's groups are
    // known.
    bool readable_by(std::uint32_t uid, const std::string& root) const;
    bool has_inode(std::uint64_t inode) const; // true where the file system makes numbers up (overlayfs)
    bool is_program() const { return (status_.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0; }
    std::int64_t modified_ms() const;
    // Size and SHA-256; a note where it is too large or cannot be read.
    void digest(Digests& known, detect::FileEvidence& file) const;
    std::string head() const; // its first bytes

  private:
    explicit SafeFile(int path_fd);
    int reopen() const;

    std::shared_ptr<base::Descriptor> path_; // by O_PATH
    struct stat status_ {};
    std::string why_;
    bool numbers_lie_ = false;
};

} // namespace luatrail::plugin
