#include "luatrail/host/process_table.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "host/lineage.hpp"
#include "luatrail/base/heap.hpp"

namespace luatrail::host {

struct ProcessTable::State {
    explicit State(base::Budget& budget) : charge(budget) { measure(); }

    ProcessSlots slots;
    Lineage lineage{slots};
    base::Charge charge;

    ProcessRef sighted(const audit::TypedEvent& s);
    ProcessRef forked(const audit::TypedEvent& parent, std::uint32_t child);
    ProcessRef execed(const audit::TypedEvent& s);
    void exited(const audit::TypedEvent& s);

    void measure() { charge.resize(base::block(sizeof(State)) + slots.bytes()); }
};

// --- what records say

ProcessRef ProcessTable::State::sighted(const audit::TypedEvent& s) {
    if (pid_of(s) == 0) {
        return {};
    }
    Slot* image = slots.latest(pid_of(s));
    if (image != nullptr && before(s.id, image->process)) {
        const Slot* then = lineage.image_at(*image, s.id);
        return then == nullptr ? ProcessRef{} : slots.ref(*then);
    }
    if (image != nullptr && image->process.exited && lineage.straggler(*image, s)) {
        return slots.ref(*image);
    }
    if (image != nullptr && !image->process.exited && !other_exe(image->process, s)) {
        lineage.refresh(*image, s);
        return slots.ref(*image);
    }

    if (image == nullptr || image->process.exited) {
        return slots.ref(lineage.begin(s, Born::sighting));
    }
    if (lineage.same_process(*image, s)) {
        return slots.ref(lineage.successor(*image, s, Born::sighting));
    }
    lineage.end(*image, s.id);
    return slots.ref(lineage.begin(s, Born::sighting));
}

ProcessRef ProcessTable::State::forked(const audit::TypedEvent& parent, std::uint32_t child) {
    const ProcessRef parent_ref = sighted(parent);
    const Slot* parent_slot = slots.find(parent_ref);
    if (parent_slot == nullptr || child == 0 || child == pid_of(parent)) {
        return {};
    }
    if (Slot* known = slots.latest(child)) {
        Slot& root = lineage.root_of(*known);
        if (root.process.created == parent.id && root.process.born == Born::fork) {
            return slots.ref(*known); // the same record twice
        }
        if (!root.fork_known && root.process.created.time_ms >= parent.id.time_ms) {
            if (!lineage.descends(*parent_slot, *known)) { // a hostile log could close a circle
                lineage.adopt(*known, parent_ref);
                lineage.born_by(root, *parent_slot, parent.id);
            }
            return slots.ref(*known);
        }
        if (!known->process.exited) {
            lineage.end(*known, parent.id);
        }
    }
    return slots.ref(lineage.copy_of_parent(*parent_slot, parent.id, child));
}

ProcessRef ProcessTable::State::execed(const audit::TypedEvent& s) {
    if (pid_of(s) == 0) {
        return {};
    }
    Slot* image = slots.latest(pid_of(s));
    Slot* made = nullptr;
    if (image == nullptr) {
        made = &lineage.begin(s, Born::exec);
    } else if (image->process.created == s.id && image->process.born != Born::fork) {
        image->process.born = Born::exec; // twice, or sighted first
        made = image;
    } else if (before(s.id, image->process) && lineage.image_at(*image, s.id) == nullptr) {
        return {}; // of the process that had the pid before, and came too late
    } else if (before(s.id, image->process)) {
        made = lineage.insert_before(*image, s);
        if (made == nullptr) {
            return {}; // one of too many, and not worth keeping
        }
    } else if (image->process.exited ? s.id <= image->exit_event : lineage.same_process(*image, s)) {
        made = &lineage.successor(*image, s, Born::exec);
    } else {
        if (!image->process.exited) {
            lineage.end(*image, s.id);
        }
        made = &lineage.begin(s, Born::exec);
    }
    lineage.set_argv(*made, s.execve.argv);
    return slots.ref(*made);
}

void ProcessTable::State::exited(const audit::TypedEvent& s) {
    Slot* image = pid_of(s) == 0 ? nullptr : slots.latest(pid_of(s));
    if (image == nullptr || image->process.exited || lineage.image_at(*image, s.id) != image) {
        return;
    }
    lineage.refresh(*image, s);
    lineage.end(*image, s.id);
}

// --- the interface

ProcessTable::ProcessTable(base::Budget& budget) : state_(std::make_unique<State>(budget)) {}
ProcessTable::~ProcessTable() = default;
ProcessTable::ProcessTable(ProcessTable&&) noexcept = default;
ProcessTable& ProcessTable::operator=(ProcessTable&&) noexcept = default;

ProcessRef ProcessTable::sighted(const audit::TypedEvent& s) {
    const ProcessRef image = state_->sighted(s);
    state_->measure();
    return image;
}

ProcessRef ProcessTable::forked(const audit::TypedEvent& parent, std::uint32_t child) {
    const ProcessRef image = state_->forked(parent, child);
    state_->measure();
    return image;
}

ProcessRef ProcessTable::execed(const audit::TypedEvent& s) {
    const ProcessRef image = state_->execed(s);
    state_->measure();
    return image;
}

void ProcessTable::exited(const audit::TypedEvent& s) {
    state_->exited(s);
    state_->measure();
}

bool ProcessTable::give_way() {
    const bool gone = state_->slots.give_way();
    state_->measure();
    return gone;
}

const Process* ProcessTable::find(ProcessRef ref) const {
    const Slot* slot = std::as_const(state_->slots).find(ref);
    return slot == nullptr ? nullptr : &slot->process;
}

ProcessRef ProcessTable::current(std::uint32_t pid) const {
    const Slot* slot = std::as_const(state_->slots).latest(pid);
    return slot == nullptr || slot->process.exited ? ProcessRef{} : state_->slots.ref(*slot);
}

std::vector<const Process*> ProcessTable::ancestors(ProcessRef ref, std::size_t depth, bool* cut) const {
    const State& state = *state_;
    std::vector<const Process*> found;
    if (cut != nullptr) {
        *cut = false;
    }
    const Slot* image = state.slots.find(ref);
    for (std::size_t i = 0; i < generations && image != nullptr && found.size() < depth; ++i) {
        const Slot* older = state.lineage.above(*image);
        if (older == nullptr) {
            if (cut != nullptr) {
                *cut = image->process.pid != 1 && static_cast<bool>(image->process.forked_from);
            }
            break;
        }
        // A child's image between its fork and its exec says nothing that its parent's doesn't.
        const bool same =
            older->process.pid == image->process.pid && older == state.slots.find(image->process.execed_from);
        if (!same || older->process.born == Born::exec ||
            (older->process.born == Born::sighting && older->process.exe != image->process.exe)) {
            found.push_back(&older->process);
        }
        image = older;
    }
    return found;
}

bool ProcessTable::is_ancestor(ProcessRef ancestor, ProcessRef descendant) const {
    const State& state = *state_;
    const Slot* from = state.slots.find(descendant);
    const Slot* to = state.slots.find(ancestor);
    return from != nullptr && to != nullptr && from != to && state.lineage.descends(*from, *to);
}

ProcessRef ProcessTable::above(ProcessRef ref) const {
    const State& state = *state_;
    const Slot* image = state.slots.find(ref);
    const Slot* up = image == nullptr ? nullptr : state.lineage.above(*image);
    return up == nullptr ? ProcessRef{} : state.slots.ref(*up);
}

bool ProcessTable::same_tree(ProcessRef a, ProcessRef b) const {
    const State& state = *state_;
    const Slot* one = state.slots.find(a);
    const Slot* other = state.slots.find(b);
    if (one == nullptr || other == nullptr) {
        return false;
    }
    std::vector<const Slot*> of_one;
    for (const Slot* image = one; image != nullptr && of_one.size() < generations;
         image = state.lineage.above(*image)) {
        of_one.push_back(image);
    }
    std::sort(of_one.begin(), of_one.end(), std::less<>());
    if (state.lineage.descends(*one, *other)) {
        return true;
    }
    const bool one_session = session_of(one->process) == session_of(other->process);
    std::size_t climbed = 0;
    for (const Slot* image = other; image != nullptr && climbed < generations;
         image = state.lineage.above(*image), ++climbed) {
        const bool shared = std::binary_search(of_one.begin(), of_one.end(), image, std::less<>());
        const bool counts =
            one_session && image->process.pid != 1 && session_of(image->process) == session_of(one->process);
        if (shared && (image == one || counts)) {
            return true;
        }
    }
    return false;
}

std::size_t ProcessTable::size() const {
    return state_->slots.size();
}
std::uint64_t ProcessTable::evicted() const {
    return state_->slots.evicted();
}
std::size_t ProcessTable::memory() const {
    return state_->charge.bytes();
}

void ProcessTable::reconcile(const std::function<bool(std::uint32_t pid)>& alive, const audit::EventId& event) {
    state_->slots.each_current([&](Slot& slot) {
        if (!alive(slot.process.pid)) {
            state_->lineage.end(slot, event);
        }
    });
}

void ProcessTable::save(base::Packer& out) const {
    state_->slots.save(out);
}

void ProcessTable::load(base::Unpacker& in) {
    state_->slots.load(in);
    state_->measure();
}

} // namespace luatrail::host
