#include "luatrail/host/process_table.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "host/lineage.hpp"

namespace luatrail::host {

struct ProcessTable::State : Lineage {
    using Lineage::Lineage;
};

ProcessTable::ProcessTable(std::size_t capacity) : state_(std::make_unique<State>(capacity)) {}
ProcessTable::~ProcessTable() = default;
ProcessTable::ProcessTable(ProcessTable&&) noexcept = default;
ProcessTable& ProcessTable::operator=(ProcessTable&&) noexcept = default;

ProcessRef ProcessTable::sighted(const Sighting& s) {
    if (s.pid == 0) {
        return {};
    }
    Slot* image = state_->latest(s.pid);
    if (image != nullptr && before(s.event, image->process)) {
        const Slot* then = state_->image_at(*image, s.event);
        return then == nullptr ? ProcessRef{} : state_->ref(*then);
    }
    if (image != nullptr && image->process.exited && state_->straggler(*image, s)) {
        return state_->ref(*image);
    }
    if (image != nullptr && !image->process.exited && !other_exe(image->process, s)) {
        state_->refresh(*image, s);
        return state_->ref(*image);
    }

    state_->make_room(1);
    image = state_->latest(s.pid); // it may have been what had to go
    if (image == nullptr || image->process.exited) {
        return state_->ref(state_->begin(s, Born::sighting));
    }
    if (state_->same_process(*image, s)) {
        return state_->ref(state_->successor(*image, s, Born::sighting));
    }
    state_->end(*image, s.event);
    return state_->ref(state_->begin(s, Born::sighting));
}

ProcessRef ProcessTable::forked(const Sighting& parent, std::uint32_t child) {
    state_->make_room(2);
    const ProcessRef parent_ref = sighted(parent);
    const Slot* parent_slot = state_->find(parent_ref);
    if (parent_slot == nullptr || child == 0 || child == parent.pid) {
        return {};
    }
    if (Slot* known = state_->latest(child)) {
        Slot& root = state_->root_of(*known);
        if (root.process.created == parent.event && root.process.born == Born::fork) {
            return state_->ref(*known); // the same record twice
        }
        if (!root.fork_known && root.process.created.time_ms >= parent.event.time_ms) {
            if (!state_->descends(*parent_slot, *known)) { // a hostile log could close a circle
                state_->adopt(*known, parent_ref);
                state_->born_by(root, *parent_slot, parent.event);
            }
            return state_->ref(*known);
        }
        if (!known->process.exited) {
            state_->end(*known, parent.event);
        }
    }
    return state_->ref(state_->copy_of_parent(*parent_slot, parent.event, child));
}

ProcessRef ProcessTable::execed(const Sighting& s, const std::vector<std::string>& argv) {
    if (s.pid == 0) {
        return {};
    }
    state_->make_room(1);
    Slot* image = state_->latest(s.pid);
    Slot* made = nullptr;
    if (image == nullptr) {
        made = &state_->begin(s, Born::exec);
    } else if (image->process.created == s.event && image->process.born != Born::fork) {
        image->process.born = Born::exec; // twice, or sighted first
        made = image;
    } else if (before(s.event, image->process) && state_->image_at(*image, s.event) == nullptr) {
        return {}; // of the process that had the pid before, and came too late
    } else if (before(s.event, image->process)) {
        made = &state_->insert_before(*image, s);
    } else if (image->process.exited ? s.event <= image->exit_event : state_->same_process(*image, s)) {
        made = &state_->successor(*image, s, Born::exec);
    } else {
        if (!image->process.exited) {
            state_->end(*image, s.event);
        }
        made = &state_->begin(s, Born::exec);
    }
    state_->set_argv(*made, argv);
    return state_->ref(*made);
}

void ProcessTable::exited(const Sighting& s) {
    Slot* image = s.pid == 0 ? nullptr : state_->latest(s.pid);
    if (image == nullptr || image->process.exited || state_->image_at(*image, s.event) != image) {
        return;
    }
    state_->refresh(*image, s);
    state_->end(*image, s.event);
}

const Process* ProcessTable::find(ProcessRef ref) const {
    const Slot* slot = std::as_const(*state_).find(ref);
    return slot == nullptr ? nullptr : &slot->process;
}

ProcessRef ProcessTable::current(std::uint32_t pid) const {
    const Slot* slot = std::as_const(*state_).latest(pid);
    return slot == nullptr || slot->process.exited ? ProcessRef{} : state_->ref(*slot);
}

std::vector<const Process*> ProcessTable::ancestors(ProcessRef ref, std::size_t depth, bool* cut) const {
    const State& state = *state_;
    std::vector<const Process*> found;
    if (cut != nullptr) {
        *cut = false;
    }
    const Slot* image = state.find(ref);
    for (std::size_t i = 0; i < generations && image != nullptr && found.size() < depth; ++i) {
        const Slot* older = state.above(*image);
        if (older == nullptr) {
            if (cut != nullptr) {
                *cut = image->process.pid != 1 && static_cast<bool>(image->process.forked_from);
            }
            break;
        }
        // A child's image between its fork and its exec says nothing that its parent's doesn't.
        const bool same = older->process.pid == image->process.pid && older == state.find(image->process.execed_from);
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
    const Slot* from = state.find(descendant);
    const Slot* to = state.find(ancestor);
    return from != nullptr && to != nullptr && from != to && state.descends(*from, *to);
}

ProcessRef ProcessTable::above(ProcessRef ref) const {
    const State& state = *state_;
    const Slot* image = state.find(ref);
    const Slot* up = image == nullptr ? nullptr : state.above(*image);
    return up == nullptr ? ProcessRef{} : state.ref(*up);
}

bool ProcessTable::same_tree(ProcessRef a, ProcessRef b) const {
    const State& state = *state_;
    const Slot* one = state.find(a);
    const Slot* other = state.find(b);
    if (one == nullptr || other == nullptr) {
        return false;
    }
    std::vector<const Slot*> of_one;
    for (const Slot* image = one; image != nullptr && of_one.size() < generations; image = state.above(*image)) {
        of_one.push_back(image);
    }
    std::sort(of_one.begin(), of_one.end(), std::less<>());
    if (state.descends(*one, *other)) {
        return true;
    }
    const bool one_session = session_of(one->process) == session_of(other->process);
    std::size_t climbed = 0;
    for (const Slot* image = other; image != nullptr && climbed < generations; image = state.above(*image), ++climbed) {
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
    return state_->size();
}
std::uint64_t ProcessTable::evicted() const {
    return state_->evicted();
}
std::size_t ProcessTable::memory() const {
    return state_->memory();
}

void ProcessTable::reconcile(const std::function<bool(std::uint32_t pid)>& alive, const audit::EventId& event) {
    state_->each_current([&](Slot& slot) {
        if (!alive(slot.process.pid)) {
            state_->end(slot, event);
        }
    });
}

void ProcessTable::save(base::Packer& out) const {
    state_->save(out);
}

void ProcessTable::load(base::Unpacker& in) {
    state_->load(in);
}

} // namespace luatrail::host
