#include "host/process_slots.hpp"

#include <algorithm>

#include "host/heap.hpp"

namespace luatrail::host {

namespace {

constexpr std::size_t bytes_an_image = 1024;                                 // the budget, on average
constexpr std::size_t index_entry_bytes = 4 * sizeof(void*) + sizeof(void*); // node and bucket of by_pid_

} // namespace

ProcessSlots::ProcessSlots(std::size_t capacity)
    : capacity_(std::clamp<std::size_t>(capacity, 8, std::numeric_limits<std::uint32_t>::max() / 2)) {}

void ProcessSlots::make_room(std::size_t count) {
    while (used_ > 0 && (used_ + count > capacity_ || memory() > capacity_ * bytes_an_image)) {
        evict_one();
    }
}

Slot& ProcessSlots::create(const Process& process) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
        slots_.back().self = free_.back();
    }
    const std::uint32_t at = free_.back();
    free_.pop_back();
    Slot& slot = slots_[at];
    slot.generation |= 1U;
    slot.process = process;
    slot.process.forked_from = slot.process.execed_from = {};
    ++used_;
    slot.rank = rank_of(slot);
    link(at, slot.rank);
    remeasure(slot);
    return slot;
}

void ProcessSlots::release(Slot& slot) {
    const auto latest_of_pid = by_pid_.find(slot.process.pid);
    if (latest_of_pid != by_pid_.end() && latest_of_pid->second == slot.self) {
        by_pid_.erase(latest_of_pid);
    }
    set_forked_from(slot, {});
    set_execed_from(slot, {});
    unlink(slot.self);
    heap_bytes_ -= slot.heap_bytes;
    --used_;

    Slot empty;
    empty.self = slot.self;
    // Even: free. A handle of the former image no longer matches, and 0 stays "no process" after the numbers wrapped.
    empty.generation = slot.generation + 1;
    slot = std::move(empty);
    free_.push_back(slot.self);
}

Slot* ProcessSlots::find(ProcessRef ref) {
    return const_cast<Slot*>(static_cast<const ProcessSlots*>(this)->find(ref));
}

const Slot* ProcessSlots::find(ProcessRef ref) const {
    if (!ref || ref.slot >= slots_.size()) {
        return nullptr;
    }
    const Slot& slot = slots_[ref.slot];
    const bool in_use = (slot.generation & 1U) != 0;
    return in_use && slot.generation == ref.generation ? &slot : nullptr;
}

ProcessRef ProcessSlots::ref(const Slot& slot) const {
    return {slot.self, slot.generation};
}

Slot* ProcessSlots::latest(std::uint32_t pid) {
    return const_cast<Slot*>(static_cast<const ProcessSlots*>(this)->latest(pid));
}

const Slot* ProcessSlots::latest(std::uint32_t pid) const {
    const auto found = by_pid_.find(pid);
    return found == by_pid_.end() ? nullptr : &slots_[found->second];
}

void ProcessSlots::set_latest(const Slot& slot) {
    by_pid_[slot.process.pid] = slot.self;
}

void ProcessSlots::refer(ProcessRef& field, ProcessRef target) {
    Slot* before = find(field);
    Slot* after = find(target);
    field = target;
    if (after != nullptr) {
        ++after->references;
        rerank(*after);
    }
    if (before != nullptr) {
        --before->references;
        rerank(*before);
    }
}

void ProcessSlots::set_forked_from(Slot& slot, ProcessRef parent) {
    refer(slot.process.forked_from, parent);
}

void ProcessSlots::set_execed_from(Slot& slot, ProcessRef before) {
    refer(slot.process.execed_from, before);
}

Rank ProcessSlots::rank_of(const Slot& slot) {
    if (slot.process.exited || slot.replaced) {
        return slot.references == 0 ? Rank::leaf : Rank::inner;
    }
    return slot.mentioned || slot.references > 0 ? Rank::live : Rank::unseen;
}

void ProcessSlots::rerank(Slot& slot) {
    const Rank rank = rank_of(slot);
    if (rank != slot.rank) {
        unlink(slot.self);
        slot.rank = rank;
        link(slot.self, rank);
    }
}

void ProcessSlots::touch(Slot& slot) {
    if (lists_[static_cast<std::size_t>(slot.rank)].tail != slot.self) {
        unlink(slot.self);
        link(slot.self, slot.rank);
    }
}

void ProcessSlots::remeasure(Slot& slot) {
    const Process& process = slot.process;
    std::size_t bytes = process.argv.capacity() * sizeof(std::string);
    for (const std::string& word : process.argv) {
        bytes += heap_of(word);
    }
    bytes += process.exe ? heap_of(*process.exe) : 0;
    bytes += process.comm ? heap_of(*process.comm) : 0;
    heap_bytes_ += bytes - slot.heap_bytes;
    slot.heap_bytes = static_cast<std::uint32_t>(bytes);
}

void ProcessSlots::link(std::uint32_t at, Rank rank) {
    List& list = lists_[static_cast<std::size_t>(rank)];
    slots_[at].previous = list.tail;
    slots_[at].next = none;
    (list.tail == none ? list.head : slots_[list.tail].next) = at;
    list.tail = at;
}

void ProcessSlots::unlink(std::uint32_t at) {
    const Slot& slot = slots_[at];
    List& list = lists_[static_cast<std::size_t>(slot.rank)];
    (slot.previous == none ? list.head : slots_[slot.previous].next) = slot.next;
    (slot.next == none ? list.tail : slots_[slot.next].previous) = slot.previous;
}

void ProcessSlots::evict_one() {
    for (const List& list : lists_) {
        if (list.head != none) {
            Slot& victim = slots_[list.head];
            evicted_ += loses_lineage(victim) ? 1U : 0U;
            release(victim);
            return;
        }
    }
}

template <class Archive>
static void transfer(Archive& archive, Process& process) {
    archive(process.created, process.born, process.pid, process.ppid, process.forked_from, process.execed_from,
            process.exe, process.comm, process.argv, process.uid, process.euid, process.auid, process.session,
            process.exited, process.last_seen_ms);
}

template <class Archive>
static void transfer(Archive& archive, Slot& slot) {
    archive(slot.process, slot.exit_event, slot.self, slot.generation, slot.references, slot.previous, slot.next,
            slot.rank, slot.replaced, slot.mentioned, slot.fork_known);
}

void ProcessSlots::save(base::Packer& out) const {
    out(slots_, free_, lists_, evicted_);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> by_pid(by_pid_.begin(), by_pid_.end());
    std::sort(by_pid.begin(), by_pid.end()); // the same state, the same bytes
    out.number(by_pid.size());
    for (const auto& [pid, at] : by_pid) {
        out(pid, at);
    }
}

void ProcessSlots::load(base::Unpacker& in) {
    try {
        by_pid_.clear();
        in(slots_, free_, lists_, evicted_);
        for (auto left = in.size(); left > 0; --left) {
            std::uint32_t pid = 0;
            std::uint32_t at = 0;
            in(pid, at);
            by_pid_[pid] = at;
        }
        check();
    } catch (...) {
        *this = ProcessSlots(capacity_);
        throw;
    }
    used_ = slots_.size() - free_.size();
    heap_bytes_ = 0;
    for (auto& slot : slots_) {
        remeasure(slot);
    }
    make_room(0); // it may have been saved under a larger bound
}

// Everything that is an index is one, so that no file can lead out of the slots.
void ProcessSlots::check() const {
    const auto good = [this](std::uint32_t at) { return at == none || at < slots_.size(); };
    bool fine = free_.size() <= slots_.size();
    for (const auto& list : lists_) {
        fine = fine && good(list.head) && good(list.tail);
    }
    for (const auto at : free_) {
        fine = fine && at < slots_.size() && (slots_[at].generation & 1U) == 0;
    }
    for (const auto& [pid, at] : by_pid_) {
        fine = fine && at < slots_.size();
    }
    std::uint32_t self = 0;
    for (const auto& slot : slots_) {
        fine = fine && slot.self == self++ && good(slot.previous) && good(slot.next) && slot.rank <= Rank::live;
    }
    if (!fine) {
        throw base::UnpackError("the process table does not hold together");
    }
}

// Whether something that was still going on can no longer be told.
bool ProcessSlots::loses_lineage(const Slot& slot) const {
    if (slot.rank == Rank::live) {
        return true;
    }
    const Slot* parent = find(slot.process.forked_from);
    return slot.rank == Rank::unseen && (parent == nullptr || parent->process.exited);
}

std::size_t ProcessSlots::memory() const {
    return slots_.size() * sizeof(Slot) + free_.capacity() * sizeof(std::uint32_t) +
           by_pid_.size() * index_entry_bytes + heap_bytes_;
}

} // namespace luatrail::host
