#include "luatrail/host/process_table.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "host/process_slots.hpp"

namespace luatrail::host {

namespace {

constexpr std::size_t argv_words = 32;
constexpr std::size_t word_bytes = 256;
constexpr std::size_t exe_bytes = 4096; // PATH_MAX
constexpr std::size_t comm_bytes = 64;  // TASK_COMM_LEN is 16
// Images of one process that are kept: the first and the latest. A process that execs itself for ever can't fill the
// table.
constexpr std::size_t images_a_process = 8;
// Generations that a walk climbs: more than any honest tree has, and a bound for a hostile one.
constexpr std::size_t generations = 1024;
// An exiting process is still named as a parent, and its other threads' last records still come, for this long.
constexpr std::int64_t linger_ms = 1000;
constexpr std::uint32_t unset_session = 0xffffffffU;

std::string_view without_deleted(std::string_view exe) {
    constexpr std::string_view suffix = " (deleted)";
    return exe.size() > suffix.size() && exe.substr(exe.size() - suffix.size()) == suffix
               ? exe.substr(0, exe.size() - suffix.size())
               : exe;
}

bool same_exe(std::string_view a, std::string_view b) {
    return a == b || without_deleted(a) == without_deleted(b);
}

bool other_exe(const Process& process, const Sighting& s) {
    return process.exe && s.exe && !same_exe(*process.exe, s.exe->substr(0, exe_bytes));
}

std::uint32_t session_of(const Process& process) {
    return process.session.value_or(unset_session);
}

// Serials are given when a call ends and times when it begins, so a vfork's record may carry a higher serial than the
// child's own exec. Against a fork only the time counts.
bool before(const audit::EventId& event, const Process& image) {
    return image.born == Born::fork ? event.time_ms < image.created.time_ms : event < image.created;
}

bool set_text(std::optional<std::string>& field, std::optional<std::string_view> text, std::size_t bound) {
    if (!text || (field && *field == text->substr(0, bound))) {
        return false;
    }
    field.emplace(text->substr(0, bound));
    return true;
}

void set_argv(Process& process, const std::vector<std::string>& argv) {
    process.argv.clear();
    process.argv.reserve(std::min(argv.size(), argv_words));
    for (std::size_t i = 0; i < argv.size() && i < argv_words; ++i) {
        process.argv.push_back(argv[i].substr(0, word_bytes));
    }
}

void keep(std::optional<std::uint32_t>& field, const std::optional<std::uint32_t>& value) {
    if (value) {
        field = value;
    }
}

// True when a text changed, and with it the image's size.
bool update(Process& process, const Sighting& s) {
    process.last_seen_ms = std::max(process.last_seen_ms, s.event.time_ms);
    process.ppid = s.ppid.value_or(process.ppid);
    keep(process.uid, s.uid);
    keep(process.euid, s.euid);
    keep(process.auid, s.auid);
    keep(process.session, s.session);
    const bool exe = set_text(process.exe, s.exe, exe_bytes);
    return set_text(process.comm, s.comm, comm_bytes) || exe;
}

} // namespace

struct ProcessTable::State : ProcessSlots {
    using ProcessSlots::ProcessSlots;

    Slot& begin(const Sighting& s, Born born);
    Slot& successor(Slot& image, const Sighting& s, Born born);
    Slot& insert_before(Slot& image, const Sighting& s);
    Slot& copy_of_parent(const Slot& parent, const audit::EventId& event, std::uint32_t child);
    void refresh(Slot& image, const Sighting& s);
    void end(Slot& image, const audit::EventId& event);
    void shorten(Slot& image);
    void adopt(Slot& child, ProcessRef parent);

    Slot* image_at(Slot& latest_image, const audit::EventId& event);
    Slot& root_of(Slot& image);
    ProcessRef parent_by_ppid(const Sighting& s);
    bool same_process(const Slot& image, const Sighting& s) const;
    bool straggler(const Slot& image, const Sighting& s) const;
    bool orphaned(const Slot& image) const;

    const Slot* above(const Slot& image) const;
    bool descends(const Slot& from, const Slot& ancestor) const;
    bool has_ancestor_pid(const Slot& image, std::uint32_t pid) const;
};

// --- making images

Slot& ProcessTable::State::begin(const Sighting& s, Born born) {
    const ProcessRef parent = parent_by_ppid(s);
    Process process;
    process.created = s.event;
    process.born = born;
    process.pid = s.pid;
    update(process, s);
    Slot& slot = create(process);
    slot.mentioned = true;
    rerank(slot);
    set_forked_from(slot, parent);
    set_latest(slot);
    return slot;
}

// The image that follows `image` in the same process.
Slot& ProcessTable::State::successor(Slot& image, const Sighting& s, Born born) {
    Process process = image.process;
    process.created = s.event;
    process.born = born;
    process.argv.clear();
    update(process, s);
    Slot& slot = create(process);
    slot.exit_event = image.exit_event;
    slot.mentioned = true;
    slot.fork_known = image.fork_known;
    set_forked_from(slot, image.process.forked_from ? image.process.forked_from : parent_by_ppid(s));
    set_execed_from(slot, ref(image));
    image.replaced = true;
    rerank(image);
    rerank(slot);
    set_latest(slot);
    shorten(slot);
    return slot;
}

// An exec whose record came after that of the next one.
Slot& ProcessTable::State::insert_before(Slot& image, const Sighting& s) {
    Slot* after = &image;
    for (Slot* older = find(after->process.execed_from); older != nullptr && before(s.event, older->process);
         older = find(older->process.execed_from)) {
        after = older;
    }
    Process process = after->process;
    const ProcessRef former = process.execed_from;
    process.created = s.event;
    process.born = Born::exec;
    process.argv.clear();
    process.comm.reset();
    update(process, s);
    Slot& slot = create(process);
    slot.mentioned = slot.replaced = true;
    slot.fork_known = after->fork_known;
    set_forked_from(slot, after->process.forked_from);
    set_execed_from(slot, former);
    set_execed_from(*after, ref(slot));
    shorten(image);
    return slot;
}

Slot& ProcessTable::State::copy_of_parent(const Slot& parent, const audit::EventId& event, std::uint32_t child) {
    Process process = parent.process;
    process.created = event;
    process.born = Born::fork;
    process.pid = child;
    process.ppid = parent.process.pid;
    process.exited = false;
    process.last_seen_ms = event.time_ms;
    Slot& slot = create(process);
    slot.fork_known = true;
    set_forked_from(slot, ref(parent));
    set_latest(slot);
    return slot;
}

// --- changing images

void ProcessTable::State::refresh(Slot& image, const Sighting& s) {
    if (update(image.process, s)) {
        remeasure(image);
    }
    image.mentioned = true;
    rerank(image);
    touch(image);
}

void ProcessTable::State::end(Slot& image, const audit::EventId& event) {
    image.process.exited = true;
    image.exit_event = event;
    rerank(image);
    touch(image);
}

// Takes the second oldest image out of a chain that grew too long: where it all began and what it is now tell most.
void ProcessTable::State::shorten(Slot& image) {
    std::size_t length = 1;
    Slot* after = nullptr; // of the second oldest
    Slot* second = nullptr;
    Slot* first = &image;
    while (Slot* older = find(first->process.execed_from)) {
        after = second;
        second = first;
        first = older;
        ++length;
    }
    if (length <= images_a_process || after == nullptr) {
        return;
    }
    set_execed_from(*after, ref(*first));
    if (second->references == 0) {
        release(*second);
    }
}

// All images of the child's process get the parent.
void ProcessTable::State::adopt(Slot& child, ProcessRef parent) {
    for (Slot* image = &child; image != nullptr; image = find(image->process.execed_from)) {
        set_forked_from(*image, parent);
        image->fork_known = true;
    }
}

// --- finding images

// The image that the process had at the time of an event; nothing when that was before a known birth.
Slot* ProcessTable::State::image_at(Slot& latest_image, const audit::EventId& event) {
    Slot* image = &latest_image;
    while (before(event, image->process)) {
        Slot* older = find(image->process.execed_from);
        if (older == nullptr) {
            return image->process.born == Born::fork ? nullptr : image;
        }
        image = older;
    }
    return image;
}

Slot& ProcessTable::State::root_of(Slot& image) {
    Slot* root = &image;
    while (Slot* older = find(root->process.execed_from)) {
        root = older;
    }
    return *root;
}

// A parent is older than its child, and alive.
ProcessRef ProcessTable::State::parent_by_ppid(const Sighting& s) {
    if (!s.ppid || *s.ppid == 0 || *s.ppid == s.pid) {
        return {};
    }
    Slot* image = latest(*s.ppid);
    if (image == nullptr || (image->process.exited && image->exit_event.time_ms + linger_ms < s.event.time_ms)) {
        return {};
    }
    image = image_at(*image, s.event);
    return image == nullptr || before(s.event, image->process) ? ProcessRef{} : ref(*image);
}

bool ProcessTable::State::orphaned(const Slot& image) const {
    const Slot* parent = find(image.process.forked_from);
    if (parent == nullptr) {
        return true;
    }
    const Slot* now = latest(parent->process.pid);
    return now == nullptr || now->process.exited || !descends(*now, *parent);
}

// Whether a record that names another parent may still be of the same process. A process gets a new ppid only by losing
// its parent, and then pid 1 or an ancestor that asked to be a subreaper.
bool ProcessTable::State::same_process(const Slot& image, const Sighting& s) const {
    const Process& process = image.process;
    if (!s.ppid || *s.ppid == process.ppid || process.ppid == 0) {
        return true;
    }
    // A session once set is changed only by privileged programs, at a login.
    const bool same_session = !s.session || *s.session == session_of(process);
    if (*s.ppid == 1) {
        return same_session || session_of(process) == unset_session;
    }
    if (has_ancestor_pid(image, *s.ppid)) {
        return true;
    }
    const bool same_login = same_session && (!s.auid || !process.auid || *s.auid == *process.auid);
    const Slot* adopter = latest(*s.ppid);
    const bool too_young = adopter != nullptr && adopter->fork_known && adopter->process.created > process.created;
    return same_login && !too_young && orphaned(image);
}

// A record of a process that was seen to exit: another thread's, or one that was overtaken by the exit's.
bool ProcessTable::State::straggler(const Slot& image, const Sighting& s) const {
    return s.event <= image.exit_event || (s.event.time_ms <= image.exit_event.time_ms + linger_ms &&
                                           !other_exe(image.process, s) && same_process(image, s));
}

// The next older image: of the same process, else the parent's.
const Slot* ProcessTable::State::above(const Slot& image) const {
    const Slot* older = find(image.process.execed_from);
    return older != nullptr ? older : find(image.process.forked_from);
}

bool ProcessTable::State::descends(const Slot& from, const Slot& ancestor) const {
    const Slot* image = &from;
    for (std::size_t i = 0; i < generations && image != nullptr; ++i, image = above(*image)) {
        if (image == &ancestor) {
            return true;
        }
    }
    return false;
}

bool ProcessTable::State::has_ancestor_pid(const Slot& image, std::uint32_t pid) const {
    const Slot* older = above(image);
    for (std::size_t i = 0; i < generations && older != nullptr; ++i, older = above(*older)) {
        if (older->process.pid == pid && pid != image.process.pid) {
            return true;
        }
    }
    return false;
}

// --- the interface

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
        const Slot& root = state_->root_of(*known);
        if (root.process.created == parent.event && root.process.born == Born::fork) {
            return state_->ref(*known); // the same record twice
        }
        if (!root.fork_known && root.process.created.time_ms >= parent.event.time_ms) {
            if (!state_->descends(*parent_slot, *known)) { // a hostile log could close a circle
                state_->adopt(*known, parent_ref);
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
    set_argv(made->process, argv);
    state_->remeasure(*made);
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

} // namespace luatrail::host
