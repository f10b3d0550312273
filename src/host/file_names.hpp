// What PATH items say about names: where a name is, and what was learned from it. Private to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/file_store.hpp"

namespace luatrail::host {

// st_mode's file types (inode(7)); the log's machine decides, not this one's headers.
inline constexpr std::uint32_t type_mask = 0170000, type_directory = 0040000, type_regular = 0100000,
                               type_symlink = 0120000;

bool is_type(const PathItem& item, std::uint32_t type);
bool has_id(const PathItem& item);
bool absolute(std::string_view name);
std::string_view last_component(std::string_view normal);

class FileNames : public FileStore {
  public:
    using FileStore::FileStore;

    // As FileLedger::resolve.
    ResolvedPath resolve(std::string_view name, std::optional<std::string_view> cwd, std::optional<FileId> parent,
                         bool at_cwd);

    // `trusted`: the name was relative to cwd, or the child's name was absolute.
    void learn_parent(const PathItem& parent, std::optional<std::string_view> cwd, bool trusted);

    // Which inode a name has now: corrects what is known, and makes nothing but directories.
    void seen(const PathItem& item, std::optional<std::string_view> cwd, bool at_cwd);

    // False when the place is none that a path leads to, or (unname) the file did not have the name.
    bool name_entry(Entry& entry, const ResolvedPath& place);
    bool unname_entry(Entry& entry, const ResolvedPath& place);
};

} // namespace luatrail::host
