// The directories of one node by inode: where each is in the tree of names. Private to this room.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "host/path_tree.hpp"

namespace luatrail::host {

class Directories {
  public:
    explicit Directories(PathTree& tree) : tree_(&tree) {}

    PathTree::Node* find(FileId id) const; // none: not known
    // The directory is there, whatever was known of it; its names are no longer those of another.
    void place(FileId id, PathTree::Node* node);
    // It goes by this name too (a symlink or a mount that the log didn't show): the latest four are kept.
    void add_alias(FileId id, PathTree::Node* node);
    bool has_alias(FileId id, const PathTree::Node* node) const;
    bool any_aliases() const { return aliases_ != 0; }
    void touch(FileId id); // it is the one that was used last
    void drop(FileId id);  // it is not known any more, nor what it is called

    // Bytes of names that came into the tree for its sake: they count as the directory's, to know how much of the
    // ledger directories take.
    void add_cost(FileId id, std::size_t bytes);
    std::size_t cost() const { return cost_; }

    bool empty() const { return directories_.empty(); }
    // The one that was used least lately. False: there is none.
    bool give_way();

    void save(base::Packer& out, const PathTree::Numbers& numbers) const;
    // In place of all that is here. Throws base::UnpackError.
    void load(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes);
    // Without giving names back: the tree is cleared too.
    void clear();

    std::size_t bytes() const;

  private:
    struct Directory {
        PathTree::Node* node = nullptr;       // held
        std::vector<PathTree::Node*> aliases; // held
        std::list<FileId>::iterator age;
        std::size_t cost = 0;
    };

    void leave(FileId id, PathTree::Node* node);

    PathTree* tree_;
    std::unordered_map<FileId, Directory> directories_;
    std::list<FileId> by_use_; // least recently used in front
    std::size_t aliases_ = 0;
    std::size_t alias_bytes_ = 0;
    std::size_t cost_ = 0;
};

} // namespace luatrail::host
