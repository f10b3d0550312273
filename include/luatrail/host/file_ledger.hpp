// What happened to files on one node: who created, wrote, renamed, linked or removed what, and when.
//
// Identity is (device, inode) first, path second. Renames, hard links and symlinks keep a file's history; an inode's
// reuse after deletion does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/audit/record.hpp"
#include "luatrail/base/budget.hpp"
#include "luatrail/host/actor.hpp"
#include "luatrail/host/file_event.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace luatrail::host {

enum class ChangeKind : std::uint8_t { create, write, rename, link, symlink, chmod, unlink, mount };

// Of a device without a name of its own (major 0): FileLedger::is_another.
inline bool is_anonymous(const FileId& id) {
    constexpr unsigned major_shift = 32;
    return id.dev >> major_shift == 0;
}

struct Change {
    ChangeKind kind = ChangeKind::create;
    audit::EventId event;
    std::string path;            // absolute where it could be resolved, else as logged
    bool path_uncertain = false; // CWD had to decide although the name was relative to another descriptor
    ProcessRef by;
    std::uint32_t by_pid = 0;
    std::optional<std::string> by_exe;
    std::optional<std::uint32_t> by_uid;
};

struct File {
    FileId id;
    std::vector<Change> changes;    // oldest first, at most 16: the first, then the latest
    std::vector<std::string> paths; // its current names, at most 8
    bool deleted = false;           // its last known name was unlinked
};

// A name resolved to an absolute, lexically normal path ("/tmp/a/../x" is "/tmp/x").
struct ResolvedPath {
    std::string path;
    bool uncertain = false; // see path_uncertain
};

class FileLedger {
  public:
    // All that it keeps is charged to the budget, which outlives it.
    explicit FileLedger(base::Budget& budget);
    ~FileLedger();
    FileLedger(FileLedger&&) noexcept;
    FileLedger& operator=(FileLedger&&) noexcept;

    // Learns directories' paths and files' changes from one event. CREATE, DELETE, PARENT and NORMAL items decide, the
    // call only where they can't.
    void apply(const FileEvent& event);

    // An event that changes nothing (an exec, a read): its items teach directory inodes and which inode a path has now.
    // `at_cwd` as in FileEvent: false for execveat or openat with a descriptor.
    void observe(const audit::TypedEvent& event, bool at_cwd = true);

    // Both: valid until the ledger changes.
    const File* find(FileId id) const;
    // Follows symlinks that the ledger saw being made (at most 8). `through` receives the changes of those links.
    const File* find(std::string_view absolute_path, std::vector<const Change*>* through = nullptr) const;

    // Whether the file that is known by this id is another one than what lies at the path. Only asked where the device
    // is anonymous (major 0): btrfs shows one for all its subvolumes, each of which counts its inodes anew, and of
    // overlays, NFS and FUSE no more can be said. There a file that is known by other absolute names only is another
    // one; not so where the path leads somewhere else for each process (/proc), and in memory (/dev/shm, /run).
    bool is_another(FileId id, std::string_view absolute_path) const;

    // A file that was made under this last component, by a name relative to a descriptor, in a directory that was not
    // known and can be this one: the latest of the last 256; null: none. Valid as above.
    const File* find_unplaced(std::string_view absolute_path) const;

    // Absolute name of a PATH item: by the parent item's inode first, cwd after.
    ResolvedPath resolve(std::string_view name, std::optional<std::string_view> cwd, std::optional<FileId> parent,
                         bool at_cwd) const;

    // Forgets what is older than `horizon_ms`; called as event time advances.
    void expire(std::int64_t horizon_ms);

    // Lets go of what is worth least: the directory that was used least lately while directories take more than a
    // quarter, then the deleted file whose changes are oldest, then any other such file. False: nothing is left.
    bool give_way();

    std::size_t size() const;
    std::uint64_t evicted() const; // files that went before they expired
    // Time of the newest change that was evicted: silence about older ones proves nothing; 0: none. Files that were
    // already deleted do not count here: no later run can name them.
    std::int64_t evicted_until_ms() const;
    std::size_t memory() const; // bytes, as charged

    void save(base::Packer& out) const;
    // In place of all that is here. Throws base::UnpackError.
    void load(base::Unpacker& in);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace luatrail::host
