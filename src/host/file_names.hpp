// What PATH items say about names: where a name is, what was learned from it, and which file or directory it leads to.
// Owns the tree of names and the two tables that hold on to it. Private to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/directories.hpp"
#include "host/file_histories.hpp"
#include "host/path_tree.hpp"

namespace luatrail::host {

// st_mode's file types (inode(7)); the log's machine decides, not this one's headers.
inline constexpr std::uint32_t type_mask = 0170000, type_directory = 0040000, type_regular = 0100000,
                               type_symlink = 0120000;

bool is_type(const audit::PathItem& item, std::uint32_t type);
bool has_id(const audit::PathItem& item);
FileId id_of(const audit::PathItem& item); // which has one
bool absolute(std::string_view name);
std::string_view last_component(std::string_view normal);

class FileNames {
  public:
    FileNames() : files_(tree_), directories_(tree_) {}
    FileNames(const FileNames&) = delete;
    FileNames& operator=(const FileNames&) = delete;

    PathTree& tree() { return tree_; }
    FileHistories& files() { return files_; }
    const FileHistories& files() const { return files_; }
    PathTree::Node* directory(FileId id) const { return directories_.find(id); } // none: not known

    // As FileLedger::resolve.
    ResolvedPath resolve(std::string_view name, std::optional<std::string_view> cwd, std::optional<FileId> parent,
                         bool at_cwd);
    // The path with the symlinks and aliases that are known replaced by what they lead to; `last`: the last component's
    // too. Empty for a loop.
    std::string follow(std::string path, bool last, std::vector<const Change*>* through = nullptr);

    // `trusted`: the name was relative to cwd, or the child's name was absolute.
    void learn_parent(const audit::PathItem& parent, std::optional<std::string_view> cwd, bool trusted);
    // A directory that has another path already goes by both from now on.
    void learn_directory(FileId id, const std::string& path);
    void forget_directory(FileId id); // it was removed

    // Which inode a name has now: corrects what is known, and makes nothing but directories.
    void seen(const audit::PathItem& item, std::optional<std::string_view> cwd, bool at_cwd);

    // The file is what the name leads to now; a former owner on the same device loses it. A guessed name does not
    // displace. False when the place is none that a path leads to.
    bool name_entry(Entry& entry, const ResolvedPath& place);
    // False when the file did not have the name.
    bool unname_entry(Entry& entry, const ResolvedPath& place);

    bool is_another(FileId id, const std::string& path); // as FileLedger::is_another

    bool give_way(); // as FileLedger::give_way
    std::size_t bytes() const { return tree_.bytes() + files_.bytes() + directories_.bytes(); }

    void save(base::Packer& out) const;
    // In place of all that is here. Throws base::UnpackError, and is empty then.
    void load(base::Unpacker& in);

  private:
    void add_name(Entry& entry, PathTree::Node* node, bool certain);
    // Something else has the name now.
    void vacate(PathTree::Node* node, FileId by);
    bool taken(const PathTree::Node* node) const;
    const PathTree::Node* other_place(const PathTree::Node* node) const;
    bool step_through(std::string& path, bool last, std::vector<const Change*>* through);
    void clear();

    PathTree tree_;
    FileHistories files_;
    Directories directories_;
};

} // namespace luatrail::host
