// A file system that is looked at as its own host sees it: links, also absolute ones, stay below the root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "luatrail/base/descriptor.hpp"

namespace luatrail::inventory {

class Root {
  public:
    // Throws base::Error when there is no such directory.
    explicit Root(const std::string& path);

    enum class Type : std::uint8_t { file, directory, link, other };
    struct Status {
        Type type = Type::other;
        std::uint64_t size = 0;
        bool executable = false; // by anybody
    };
    // Of what the path names, a link itself when the last part is one. Nothing when it is not there.
    std::optional<Status> status(const std::string& path) const;
    // Of what it leads to.
    std::optional<Status> target_status(const std::string& path) const;
    // A regular file's bytes, at most `most`; nothing when it is none, or not to be read.
    std::optional<std::string> read(const std::string& path, std::size_t most = 256UL * 1024 * 1024) const;
    // Names in a directory, sorted; empty when it is none.
    std::vector<std::string> list(const std::string& directory) const;
    // Where a link points, as it is written.
    std::optional<std::string> link(const std::string& path) const;
    // The path without links, from the root on; nothing when it leads nowhere.
    std::optional<std::string> resolve(const std::string& path) const;
    // MD5, SHA-1 or SHA-256 of a regular file, in hex, by the length of `like`; nothing when it can't be had.
    std::optional<std::string> digest(const std::string& path, std::size_t hex_digits) const;
    // The path with its directories' links resolved, the last part as it is. Remembers directories.
    std::string canonical(const std::string& path);

    const std::string& path() const { return path_; }

  private:
    int open(const std::string& path, int flags) const;

    std::string path_;
    base::Descriptor directory_;
    std::string real_; // of the root, in this process's view
    std::unordered_map<std::string, std::string> directories_;
};

} // namespace luatrail::inventory
