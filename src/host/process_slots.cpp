#include "host/process_slots.hpp"

#include <algorithm>

#include "luatrail/base/heap.hpp"

namespace luatrail::host {

std::uint32_t ProcessSlots::free_slot() {
    while (!free_.empty()) {
        const std::uint32_t at = free_.back();
        free_.pop_back();
        if (at < slots_.size() && slots_[at] == nullptr) {
            return at;
        }
    }
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
}

Slot& ProcessSlots::create(Process process) {
    const std::uint32_t at = free_slot();
    slots_[at] = std::make_unique<Slot>();
    Slot& slot = *slots_[at];
    slot.self = at;
    // A handle of the slot's former image does not match. 0 stays "no process" when the numbers begin anew.
    last_generation_ = std::max(last_generation_ + 1, 1U);
    slot.generation = last_generation_;
    slot.process = std::move(process);
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

    free_.push_back(slot.self);
    slots_[slot.self].reset();
    give_back_slots();
}

// What was needed for a crowd is not kept for ever.
void ProcessSlots::give_back_slots() {
    constexpr std::size_t least = 64, sparse = 8;
    base::shrink_buckets(by_pid_);
    if (used_ >= slots_.size() / sparse || slots_.size() <= least) {
        return;
    }
    std::size_t size = slots_.size();
    while (size > 0 && slots_[size - 1] == nullptr) {
        --size;
    }
    if (size <= slots_.size() / 2) { // behind the last image is half of it all
        slots_.resize(size);
        slots_.shrink_to_fit();
        std::erase_if(free_, [size](std::uint32_t at) { return at >= size; });
        free_.shrink_to_fit();
    }
}

Slot* ProcessSlots::find(ProcessRef ref) {
    return const_cast<Slot*>(static_cast<const ProcessSlots*>(this)->find(ref));
}

const Slot* ProcessSlots::find(ProcessRef ref) const {
    if (!ref || ref.slot >= slots_.size()) {
        return nullptr;
    }
    const Slot* slot = slots_[ref.slot].get();
    return slot != nullptr && slot->generation == ref.generation ? slot : nullptr;
}

ProcessRef ProcessSlots::ref(const Slot& slot) const {
    return {slot.self, slot.generation};
}

Slot* ProcessSlots::latest(std::uint32_t pid) {
    return const_cast<Slot*>(static_cast<const ProcessSlots*>(this)->latest(pid));
}

const Slot* ProcessSlots::latest(std::uint32_t pid) const {
    const auto found = by_pid_.find(pid);
    return found == by_pid_.end() ? nullptr : slots_[found->second].get();
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
    const std::size_t bytes = base::heap_of(process.argv) + base::heap_of(process.exe) + base::heap_of(process.comm);
    heap_bytes_ += bytes - slot.heap_bytes;
    slot.heap_bytes = static_cast<std::uint32_t>(bytes);
}

void ProcessSlots::link(std::uint32_t at, Rank rank) {
    List& list = lists_[static_cast<std::size_t>(rank)];
    slots_[at]->previous = list.tail;
    slots_[at]->next = none;
    (list.tail == none ? list.head : slots_[list.tail]->next) = at;
    list.tail = at;
}

void ProcessSlots::unlink(std::uint32_t at) {
    const Slot& slot = *slots_[at];
    List& list = lists_[static_cast<std::size_t>(slot.rank)];
    (slot.previous == none ? list.head : slots_[slot.previous]->next) = slot.next;
    (slot.next == none ? list.tail : slots_[slot.next]->previous) = slot.previous;
}

bool ProcessSlots::give_way() {
    for (const List& list : lists_) {
        if (list.head != none) {
            Slot& victim = *slots_[list.head];
            evicted_ += loses_lineage(victim) ? 1U : 0U;
            release(victim);
            return true;
        }
    }
    return false;
}

template <class Archive>
static void transfer(Archive& archive, Process& process) {
    archive(process.created, process.born, process.pid, process.ppid, process.forked_from, process.execed_from,
            process.exe, process.comm, process.argv, process.credentials(), process.exited, process.terminal,
            process.last_seen_ms);
}

template <class Archive>
static void transfer(Archive& archive, Slot& slot) {
    archive(slot.process, slot.exit_event, slot.self, slot.generation, slot.references, slot.previous, slot.next,
            slot.rank, slot.replaced, slot.mentioned, slot.fork_known);
}

void ProcessSlots::save(base::Packer& out) const {
    out.number(slots_.size());
    for (const auto& slot : slots_) {
        out(slot != nullptr);
        if (slot != nullptr) {
            out(*slot);
        }
    }
    out(lists_, evicted_, last_generation_);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> by_pid(by_pid_.begin(), by_pid_.end());
    std::sort(by_pid.begin(), by_pid.end()); // the same state, the same bytes
    out.number(by_pid.size());
    for (const auto& [pid, at] : by_pid) {
        out(pid, at);
    }
}

void ProcessSlots::load(base::Unpacker& in) {
    *this = ProcessSlots();
    try {
        load_all(in);
        check();
    } catch (...) {
        *this = ProcessSlots();
        throw;
    }
    for (auto& slot : slots_) {
        if (slot != nullptr) {
            remeasure(*slot);
        }
    }
}

void ProcessSlots::load_all(base::Unpacker& in) {
    for (auto left = in.size(); left > 0; --left) {
        bool used = false;
        in(used);
        slots_.emplace_back();
        if (used) {
            slots_.back() = std::make_unique<Slot>();
            in(*slots_.back());
            ++used_;
        } else {
            free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
        }
    }
    in(lists_, evicted_, last_generation_);
    for (auto left = in.size(); left > 0; --left) {
        std::uint32_t pid = 0;
        std::uint32_t at = 0;
        in(pid, at);
        by_pid_[pid] = at;
    }
}

// Everything that is an index is one, so that no file can lead out of the slots.
void ProcessSlots::check() const {
    const auto image = [this](std::uint32_t at) { return at < slots_.size() && slots_[at] != nullptr; };
    const auto good = [&image](std::uint32_t at) { return at == none || image(at); };
    bool fine = true;
    for (const auto& list : lists_) {
        fine = fine && good(list.head) && good(list.tail);
    }
    for (const auto& [pid, at] : by_pid_) {
        fine = fine && image(at);
    }
    for (std::size_t at = 0; at < slots_.size(); ++at) {
        const Slot* slot = slots_[at].get();
        fine = fine && (slot == nullptr || (slot->self == at && good(slot->previous) && good(slot->next) &&
                                            slot->rank <= Rank::live && slot->generation != 0));
    }
    if (!fine) {
        throw base::UnpackError("the process table does not hold together");
    }
}

// Whether something that was still going on is no longer known.
bool ProcessSlots::loses_lineage(const Slot& slot) const {
    if (slot.rank == Rank::live) {
        return true;
    }
    const Slot* parent = find(slot.process.forked_from);
    return slot.rank == Rank::unseen && (parent == nullptr || parent->process.exited);
}

std::size_t ProcessSlots::bytes() const {
    const std::size_t image = base::block(sizeof(Slot));
    const std::size_t index_entry = base::hash_node<std::uint32_t, std::uint32_t>();
    return used_ * image + heap_bytes_ + base::block(slots_.capacity() * sizeof(slots_[0])) + base::heap_of(free_) +
           by_pid_.size() * index_entry + base::hash_buckets(by_pid_);
}

} // namespace luatrail::host
