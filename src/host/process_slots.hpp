// The storage of a ProcessTable: slots with generations, references counted between them, and the order in which they
// are given up.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <unordered_map>
#include <vector>

#include "luatrail/base/pack.hpp"
#include "luatrail/host/process_table.hpp"

namespace luatrail::host {

// Lower ranks are evicted first.
enum class Rank : std::uint8_t {
    leaf,   // ended (exited or replaced by an exec), nothing descends from it
    unseen, // forked, but no record mentioned it yet: a thread, or a child that waits
    inner,  // ended, but a link of another image's lineage
    live,
};
inline constexpr std::size_t rank_count = 4;

struct Slot {
    Process process;
    audit::EventId exit_event;
    std::uint32_t self = 0;       // its own index
    std::uint32_t generation = 0; // no other image of the table ever had it
    std::uint32_t references = 0; // images whose forked_from or execed_from is this one
    std::uint32_t previous = 0, next = 0;
    std::uint32_t heap_bytes = 0;
    Rank rank = Rank::live;
    bool replaced = false;   // by an exec
    bool mentioned = false;  // by a record of its own
    bool fork_known = false; // forked_from comes from a fork record, not from a ppid
};

class ProcessSlots {
  public:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    // A new, live image, without links.
    Slot& create(Process process);
    void release(Slot& slot);
    // The first of the lowest rank goes. False: there is none.
    bool give_way();

    Slot* find(ProcessRef ref);
    const Slot* find(ProcessRef ref) const;
    ProcessRef ref(const Slot& slot) const;

    // The latest image of a pid, ended or not.
    Slot* latest(std::uint32_t pid);
    const Slot* latest(std::uint32_t pid) const;
    void set_latest(const Slot& slot);

    void set_forked_from(Slot& slot, ProcessRef parent);
    void set_execed_from(Slot& slot, ProcessRef before);

    // To be called after a change of exited, replaced, mentioned, or of the texts.
    void rerank(Slot& slot);
    void remeasure(Slot& slot);
    // Makes it the most recently seen of its rank.
    void touch(Slot& slot);

    std::size_t size() const { return used_; }
    std::uint64_t evicted() const { return evicted_; }
    std::size_t bytes() const;

    // The images that have not ended, as far as is known.
    template <class Visit>
    void each_current(Visit visit) {
        for (const auto& slot : slots_) {
            if (slot != nullptr && !slot->process.exited && !slot->replaced) {
                visit(*slot);
            }
        }
    }

    void save(base::Packer& out) const;
    // In place of all that is here. Throws base::UnpackError, and is empty then.
    void load(base::Unpacker& in);

  private:
    struct List {
        std::uint32_t head = none, tail = none;
    };
    template <class Archive>
    friend void transfer(Archive& archive, List& list) {
        archive(list.head, list.tail);
    }

    static Rank rank_of(const Slot& slot);
    void link(std::uint32_t at, Rank rank);
    void unlink(std::uint32_t at);
    void refer(ProcessRef& field, ProcessRef target);
    std::uint32_t free_slot();
    void give_back_slots();
    void load_all(base::Unpacker& in);
    void check() const; // what was loaded; throws base::UnpackError
    bool loses_lineage(const Slot& slot) const;

    std::vector<std::unique_ptr<Slot>> slots_; // an image stays where it is; none: free
    std::vector<std::uint32_t> free_;          // every free slot, and numbers that are none any more
    std::uint32_t last_generation_ = 0;
    std::unordered_map<std::uint32_t, std::uint32_t> by_pid_;
    std::array<List, rank_count> lists_;
    std::size_t used_ = 0;
    std::size_t heap_bytes_ = 0;
    std::uint64_t evicted_ = 0;
};

} // namespace luatrail::host
