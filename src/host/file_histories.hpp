// The files of one node by inode: what was done to each, and the names that lead to it. Private to this room.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/path_tree.hpp"
#include "luatrail/host/file_ledger.hpp"

namespace luatrail::host {

struct Entry {
    File file;                          // `paths` is filled from `names` when somebody asks
    std::vector<PathTree::Node*> names; // held
    std::string link_target;            // of a symlink, as it was given
    std::list<Entry*>::iterator age;
    bool junk = false; // in the list of those that go first
    std::size_t bytes = 0;
};

class FileHistories {
  public:
    explicit FileHistories(PathTree& tree) : tree_(&tree) {}

    Entry* find(FileId id);
    Entry& open(FileId id); // gets or makes
    void forget(Entry& entry);
    // A new file has the inode: the former one's history and names are gone.
    void reset(Entry& entry);

    void record(Entry& entry, Change change);
    void set_deleted(Entry& entry, bool deleted);
    void set_link_target(Entry& entry, std::string_view target);
    bool any_links() const { return symlinks_ != 0; }

    // The node's id is the entry's already.
    void add_name(Entry& entry, PathTree::Node* node);
    // Takes the name away, or one with the same last component where either place was a guess. False when it had no
    // such name.
    bool remove_name(Entry& entry, const PathTree::Node* node, bool certain);
    void fill_paths(Entry& entry);

    void expire(std::int64_t horizon_ms);
    // A deleted file before the rest, what changed long ago before what changed lately. False: there is none.
    bool give_way();

    void save(base::Packer& out, const PathTree::Numbers& numbers) const;
    // In place of all that is here. Throws base::UnpackError.
    void load(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes);
    // Without giving names back: the tree is cleared too.
    void clear();

    std::size_t size() const { return files_.size(); }
    std::size_t bytes() const;
    std::uint64_t evicted() const { return evicted_; }
    std::int64_t evicted_until_ms() const { return evicted_until_ms_; }

  private:
    std::list<Entry*>& list_of(const Entry& entry) { return entry.junk ? junk_ : kept_; }
    void clear_names(Entry& entry);
    void remeasure(Entry& entry);
    void load_entry(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes, bool junk);

    PathTree* tree_;
    std::unordered_map<FileId, Entry> files_;
    std::list<Entry*> kept_, junk_; // by latest change, oldest in front; junk: deleted files
    std::size_t bytes_ = 0;         // of the entries
    std::size_t symlinks_ = 0;
    std::uint64_t evicted_ = 0;
    std::int64_t evicted_until_ms_ = 0;
};

} // namespace luatrail::host
