// What a FileLedger keeps: files with their changes and names, directories by inode; and what it gives up first.
// Private to this room.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/path_tree.hpp"
#include "luatrail/host/file_ledger.hpp"

namespace luatrail::host {

inline constexpr std::size_t path_bytes = 4096; // PATH_MAX

struct Entry {
    File file;                          // `paths` is filled from `names` when somebody asks
    std::vector<PathTree::Node*> names; // held
    std::string link_target;            // of a symlink, as it was given
    std::list<Entry*>::iterator age;
    bool junk = false; // in the list of those that go first
    std::size_t bytes = 0;
};

class FileStore {
  public:
    explicit FileStore(std::size_t capacity_bytes) : capacity_(capacity_bytes) {}

    PathTree& tree() { return tree_; }

    Entry* find(FileId id);
    Entry& open(FileId id); // gets or makes
    void forget(Entry& entry);
    // A new file has the inode: the former one's history and names are gone.
    void reset(Entry& entry);

    void record(Entry& entry, Change change);
    void set_link_target(Entry& entry, std::string_view target);

    // The file is what the name now leads to; a former owner on the same device loses it. A guessed (not certain) name
    // does not displace.
    void add_name(Entry& entry, PathTree::Node* node, bool certain);
    // Takes the name away, or one with the same last component where either place was a guess. False when it had no
    // such name.
    bool remove_name(Entry& entry, const PathTree::Node* node, bool certain);
    // Something that the ledger does not follow has the name now.
    void vacate(PathTree::Node* node, FileId by);
    void set_deleted(Entry& entry, bool deleted);
    void fill_paths(Entry& entry);

    PathTree::Node* directory(FileId id); // none: not known
    // A directory that has another path already goes by both from now on (a symlink or a mount that the log didn't
    // show).
    void learn_directory(FileId id, const std::string& path);
    void forget_directory(FileId id); // it was removed

    // The path with the symlinks that the ledger knows replaced by what they lead to; `last`: the last component's too.
    // Empty for a loop.
    std::string follow(std::string path, bool last, std::vector<const Change*>* through = nullptr);

    void expire(std::int64_t horizon_ms);
    void enforce_capacity();

    void save(base::Packer& out) const;
    // In place of all that is here. Throws base::UnpackError, and is empty then.
    void load(base::Unpacker& in);

    std::size_t size() const { return files_.size(); }
    std::size_t memory() const;
    std::uint64_t evicted() const { return evicted_; }
    std::int64_t evicted_until_ms() const { return evicted_until_ms_; }

  private:
    struct Directory {
        PathTree::Node* node = nullptr;       // held
        std::vector<PathTree::Node*> aliases; // held, at most 4
        std::list<FileId>::iterator age;
        std::size_t cost = 0;
    };

    void clear();
    void load_all(base::Unpacker& in);
    void load_entry(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes, bool junk);
    void load_directory(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes);
    void place_directory(FileId id, PathTree::Node* node);
    void add_alias(FileId id, Directory& directory, PathTree::Node* node);
    void leave(FileId id, PathTree::Node* node);
    const PathTree::Node* other_place(const PathTree::Node* node);
    bool step_through(std::string& path, bool last, std::vector<const Change*>* through);
    void clear_names(Entry& entry);
    void give_up(Entry& entry);
    void drop_directory(FileId id);
    void remeasure(Entry& entry);

    std::size_t capacity_;
    PathTree tree_;
    std::unordered_map<FileId, Entry> files_;
    std::unordered_map<FileId, Directory> directories_;
    std::list<Entry*> kept_, junk_;        // by latest change, oldest in front; junk: deleted files
    std::list<FileId> directories_by_use_; // least recently used in front
    std::size_t files_bytes_ = 0;
    std::size_t directories_bytes_ = 0;
    std::size_t symlinks_ = 0;
    std::size_t aliases_ = 0;
    std::uint64_t evicted_ = 0;
    std::int64_t evicted_until_ms_ = 0;
};

} // namespace luatrail::host
