// The processes of one node, as its log shows them.
//
// A process image is named by the event that created it (a fork, an exec, or the first record that mentions the pid),
// never by its pid: pids are reused. "Forked from" and "exec'd from" are separate links. Without fork records, lineage
// comes from ppid in exec records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/audit/record.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/base/budget.hpp"
#include "luatrail/host/actor.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace luatrail::host {

enum class Born : std::uint8_t { fork, exec, sighting }; // how the table came to know the image

struct Process : audit::Credentials {
    audit::EventId created; // the event that created this image
    Born born = Born::sighting;
    std::uint32_t pid = 0;
    std::uint32_t ppid = 0; // as last logged (changes to 1, or to a subreaper, on adoption)
    ProcessRef forked_from; // the parent's image at the time of the fork; kept when ppid becomes 1
    ProcessRef execed_from; // the image of the same process that this exec replaced
    std::optional<std::string> exe, comm;
    std::vector<std::string> argv; // bounded: the first 32 words, each of at most 256 bytes
    bool exited = false;
    bool terminal = false; // its latest record had a controlling terminal
    std::int64_t last_seen_ms = 0;
};

class ProcessTable {
  public:
    // All that it keeps is charged to the budget, which outlives it.
    explicit ProcessTable(base::Budget& budget);
    ~ProcessTable();
    ProcessTable(ProcessTable&&) noexcept;
    ProcessTable& operator=(ProcessTable&&) noexcept;

    // What follows takes events with a SYSCALL record that names a process: others teach nothing, and have no image.

    // Any event: returns its current image, made by sighting when unknown. Where ppid, exe and comm
    // contradict what is known of the pid in a way that only a new process explains (pid reuse: another ppid that is
    // not 1 and not a known subreaper of the old one, together with another exe), a new image is made. Another exe
    // alone is an exec that was not logged: a new image, exec'd from the old one. A record that is older than the
    // current image gets the image of its time. No process (pid 0, or a record of a process that had the pid before):
    // an empty reference.
    ProcessRef sighted(const audit::TypedEvent& event);

    // A fork/vfork/clone/clone3 that returned `child`. The child's image copies the parent's exe, comm, argv and ids. A
    // child that was already sighted after this event (records out of order: its exec came first) is linked, not
    // replaced.
    ProcessRef forked(const audit::TypedEvent& fork, std::uint32_t child);

    // A successful execve/execveat. The new image's forked_from is that of the image it replaces, or by ppid when
    // nothing was known.
    ProcessRef execed(const audit::TypedEvent& exec);

    // The end of the whole process (exit_group): audit logs a thread's exit(2) under the process's pid, so that one
    // must not come here.
    void exited(const audit::TypedEvent& event);

    const Process* find(ProcessRef ref) const;   // null once evicted
    ProcessRef current(std::uint32_t pid) const; // the latest image of a pid that has not exited; none: not known
    const Process* find(std::uint32_t pid) const { return find(current(pid)); }

    // Nearest first: the images that this one was exec'd from (only those that were exec'd themselves or sighted with
    // another exe), then the parent it was forked from, and so on; at most `depth`. `cut` is set when an evicted image
    // ended the walk before pid 1 was reached.
    std::vector<const Process*> ancestors(ProcessRef ref, std::size_t depth, bool* cut = nullptr) const;

    // Whether `a` and `b` belong to one process tree: one is an ancestor of the other, or they share an ancestor that
    // is not pid 1 and is of the same audit session as both (a daemon that forks login sessions does not make them one
    // tree).
    bool same_tree(ProcessRef a, ProcessRef b) const;
    bool is_ancestor(ProcessRef ancestor, ProcessRef descendant) const;
    // One step of that walk: the image that this one was exec'd from, else the one it was forked from; empty at its
    // end.
    ProcessRef above(ProcessRef ref) const;

    // Lets go of what is worth least: first ended images (exited, or replaced by an exec) that nothing descends from,
    // then forked children that no record ever mentioned (threads, mostly), then other ended ones, then the least
    // recently seen. False: nothing is left.
    bool give_way();

    std::size_t size() const;
    // Live images that had to go; ended ones do not count, nor unseen children of a known live parent (a later record
    // finds it by ppid).
    std::uint64_t evicted() const;
    std::size_t memory() const; // bytes, as charged

    // Of processes that the table takes for alive: each one's pid, whether it still is. Those that are not end at
    // `event`.
    void reconcile(const std::function<bool(std::uint32_t pid)>& alive, const audit::EventId& event);

    void save(base::Packer& out) const;
    // In place of all that is here; references made before the saving hold. Throws base::UnpackError.
    void load(base::Unpacker& in);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace luatrail::host
