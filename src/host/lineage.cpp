#include "host/lineage.hpp"

#include <algorithm>

#include "luatrail/base/kernel_path.hpp"

namespace luatrail::host {

namespace {

constexpr std::size_t argv_words = 32;
constexpr std::size_t word_bytes = 256;
constexpr std::size_t exe_bytes = 4096; // PATH_MAX
constexpr std::size_t comm_bytes = 64;  // TASK_COMM_LEN is 16
// Images of one process that are kept: the first and the latest. A process that execs itself for ever can't fill the
// table.
constexpr std::size_t images_a_process = 8;
// An exiting process is still named as a parent, and its other threads' last records still come, for this long.
constexpr std::int64_t linger_ms = 1000;
constexpr std::uint32_t unset_session = 0xffffffffU;

bool same_exe(std::string_view a, std::string_view b) {
    return a == b || base::without_deleted(a) == base::without_deleted(b);
}

bool set_text(std::optional<std::string>& field, std::optional<std::string_view> text, std::size_t bound) {
    if (!text || (field && *field == text->substr(0, bound))) {
        return false;
    }
    field.emplace(text->substr(0, bound));
    return true;
}

// True when a text changed, and with it the image's size.
bool update(Process& process, const audit::TypedEvent& s) {
    process.last_seen_ms = std::max(process.last_seen_ms, s.id.time_ms);
    process.ppid = s.syscall.ppid.value_or(process.ppid);
    process.learn(s.syscall);
    process.terminal = s.syscall.tty.has_value();
    const bool exe = set_text(process.exe, s.syscall.exe, exe_bytes);
    return set_text(process.comm, s.syscall.comm, comm_bytes) || exe;
}

} // namespace

std::uint32_t pid_of(const audit::TypedEvent& event) {
    return event.has_syscall ? event.syscall.pid.value_or(0) : 0;
}

bool other_exe(const Process& process, const audit::TypedEvent& s) {
    return process.exe && s.syscall.exe && !same_exe(*process.exe, s.syscall.exe->substr(0, exe_bytes));
}

std::uint32_t session_of(const Process& process) {
    return process.session.value_or(unset_session);
}

// Serials are given when a call ends and times when it begins, so a vfork's record may carry a higher serial than the
// child's own exec. Against a fork only the time counts.
bool before(const audit::EventId& event, const Process& image) {
    return image.born == Born::fork ? event.time_ms < image.created.time_ms : event < image.created;
}

// --- making images

Slot& Lineage::begin(const audit::TypedEvent& s, Born born) {
    const ProcessRef parent = parent_by_ppid(s);
    Process process;
    process.created = s.id;
    process.born = born;
    process.pid = pid_of(s);
    update(process, s);
    Slot& slot = slots_->create(std::move(process));
    slot.mentioned = true;
    slots_->rerank(slot);
    slots_->set_forked_from(slot, parent);
    slots_->set_latest(slot);
    return slot;
}

// The image that follows `image` in the same process.
Slot& Lineage::successor(Slot& image, const audit::TypedEvent& s, Born born) {
    Process process = image.process;
    process.created = s.id;
    process.born = born;
    std::vector<std::string>().swap(process.argv);
    update(process, s);
    Slot& slot = slots_->create(std::move(process));
    slot.exit_event = image.exit_event;
    slot.mentioned = true;
    slot.fork_known = image.fork_known;
    slots_->set_forked_from(slot, image.process.forked_from ? image.process.forked_from : parent_by_ppid(s));
    slots_->set_execed_from(slot, slots_->ref(image));
    image.replaced = true;
    slots_->rerank(image);
    slots_->rerank(slot);
    slots_->set_latest(slot);
    shorten(slot);
    return slot;
}

// An exec whose record came after that of the next one.
Slot* Lineage::insert_before(Slot& image, const audit::TypedEvent& s) {
    Slot* after = &image;
    for (Slot* older = slots_->find(after->process.execed_from); older != nullptr && before(s.id, older->process);
         older = slots_->find(older->process.execed_from)) {
        after = older;
    }
    Process process = after->process;
    const ProcessRef former = process.execed_from;
    process.created = s.id;
    process.born = Born::exec;
    std::vector<std::string>().swap(process.argv);
    process.comm.reset();
    update(process, s);
    Slot& slot = slots_->create(std::move(process));
    slot.mentioned = slot.replaced = true;
    slot.fork_known = after->fork_known;
    slots_->set_forked_from(slot, after->process.forked_from);
    slots_->set_execed_from(slot, former);
    const auto made = slots_->ref(slot);
    slots_->set_execed_from(*after, made);
    shorten(image); // of a long chain it may be the second oldest itself
    return slots_->find(made);
}

Slot& Lineage::copy_of_parent(const Slot& parent, const audit::EventId& event, std::uint32_t child) {
    Process process = parent.process;
    process.created = event;
    process.born = Born::fork;
    process.pid = child;
    process.ppid = parent.process.pid;
    process.exited = false;
    process.last_seen_ms = event.time_ms;
    Slot& slot = slots_->create(std::move(process));
    slot.fork_known = true;
    slots_->set_forked_from(slot, slots_->ref(parent));
    slots_->set_latest(slot);
    return slot;
}

// --- changing images

void Lineage::set_argv(Slot& image, const std::vector<std::string>& argv) {
    std::vector<std::string>& words = image.process.argv;
    words.clear();
    words.reserve(std::min(argv.size(), argv_words));
    for (std::size_t i = 0; i < argv.size() && i < argv_words; ++i) {
        words.push_back(argv[i].substr(0, word_bytes));
    }
    slots_->remeasure(image);
}

void Lineage::refresh(Slot& image, const audit::TypedEvent& s) {
    if (update(image.process, s)) {
        slots_->remeasure(image);
    }
    image.mentioned = true;
    slots_->rerank(image);
    slots_->touch(image);
}

void Lineage::end(Slot& image, const audit::EventId& event) {
    image.process.exited = true;
    image.exit_event = event;
    slots_->rerank(image);
    slots_->touch(image);
}

// Takes the second oldest image out of a chain that grew too long: where it all began and what it is now matter most.
void Lineage::shorten(Slot& image) {
    std::size_t length = 1;
    Slot* after = nullptr; // of the second oldest
    Slot* second = nullptr;
    Slot* first = &image;
    while (Slot* older = slots_->find(first->process.execed_from)) {
        after = second;
        second = first;
        first = older;
        ++length;
    }
    if (length <= images_a_process || after == nullptr) {
        return;
    }
    slots_->set_execed_from(*after, slots_->ref(*first));
    if (second->references == 0) {
        slots_->release(*second);
    }
}

// All images of the child's process get the parent.
void Lineage::adopt(Slot& child, ProcessRef parent) {
    for (Slot* image = &child; image != nullptr; image = slots_->find(image->process.execed_from)) {
        slots_->set_forked_from(*image, parent);
        image->fork_known = true;
    }
}

// A child that was sighted before its fork was logged, as it still was its parent's copy: a fork's image after all.
void Lineage::born_by(Slot& child, const Slot& parent, const audit::EventId& fork) {
    if (child.process.born != Born::sighting || child.process.exe != parent.process.exe) {
        return;
    }
    child.process.born = Born::fork;
    child.process.created = std::min(child.process.created, fork);
    if (child.process.argv.empty()) {
        set_argv(child, parent.process.argv);
    }
}

// --- finding images

// The image that the process had at the time of an event; nothing when that was before a known birth.
Slot* Lineage::image_at(Slot& latest_image, const audit::EventId& event) {
    Slot* image = &latest_image;
    while (before(event, image->process)) {
        Slot* older = slots_->find(image->process.execed_from);
        if (older == nullptr) {
            return image->process.born == Born::fork ? nullptr : image;
        }
        image = older;
    }
    return image;
}

Slot& Lineage::root_of(Slot& image) {
    Slot* root = &image;
    while (Slot* older = slots_->find(root->process.execed_from)) {
        root = older;
    }
    return *root;
}

// A parent is older than its child, and alive.
ProcessRef Lineage::parent_by_ppid(const audit::TypedEvent& s) {
    if (!s.syscall.ppid || *s.syscall.ppid == 0 || *s.syscall.ppid == pid_of(s)) {
        return {};
    }
    Slot* image = slots_->latest(*s.syscall.ppid);
    if (image == nullptr || (image->process.exited && image->exit_event.time_ms + linger_ms < s.id.time_ms)) {
        return {};
    }
    image = image_at(*image, s.id);
    return image == nullptr || before(s.id, image->process) ? ProcessRef{} : slots_->ref(*image);
}

bool Lineage::orphaned(const Slot& image) const {
    const Slot* parent = slots_->find(image.process.forked_from);
    if (parent == nullptr) {
        return true;
    }
    const Slot* now = slots_->latest(parent->process.pid);
    return now == nullptr || now->process.exited || !descends(*now, *parent);
}

// Whether a record that names another parent may still be of the same process. A process gets a new ppid only by losing
// its parent, and then pid 1 or an ancestor that asked to be a subreaper.
bool Lineage::same_process(const Slot& image, const audit::TypedEvent& s) const {
    const Process& process = image.process;
    if (!s.syscall.ppid || *s.syscall.ppid == process.ppid || process.ppid == 0) {
        return true;
    }
    // A session once set is changed only by privileged programs, at a login.
    const bool same_session = !s.syscall.session || *s.syscall.session == session_of(process);
    if (*s.syscall.ppid == 1) {
        return same_session || session_of(process) == unset_session;
    }
    if (has_ancestor_pid(image, *s.syscall.ppid)) {
        return true;
    }
    const bool same_login = same_session && (!s.syscall.auid || !process.auid || *s.syscall.auid == *process.auid);
    const Slot* adopter = slots_->latest(*s.syscall.ppid);
    const bool too_young = adopter != nullptr && adopter->fork_known && adopter->process.created > process.created;
    return same_login && !too_young && orphaned(image);
}

// A record of a process that was seen to exit: another thread's, or one that was overtaken by the exit's.
bool Lineage::straggler(const Slot& image, const audit::TypedEvent& s) const {
    return s.id <= image.exit_event || (s.id.time_ms <= image.exit_event.time_ms + linger_ms &&
                                        !other_exe(image.process, s) && same_process(image, s));
}

// The next older image: of the same process, else the parent's.
const Slot* Lineage::above(const Slot& image) const {
    const Slot* older = slots_->find(image.process.execed_from);
    return older != nullptr ? older : slots_->find(image.process.forked_from);
}

bool Lineage::descends(const Slot& from, const Slot& ancestor) const {
    const Slot* image = &from;
    for (std::size_t i = 0; i < generations && image != nullptr; ++i, image = above(*image)) {
        if (image == &ancestor) {
            return true;
        }
    }
    return false;
}

bool Lineage::has_ancestor_pid(const Slot& image, std::uint32_t pid) const {
    const Slot* older = above(image);
    for (std::size_t i = 0; i < generations && older != nullptr; ++i, older = above(*older)) {
        if (older->process.pid == pid && pid != image.process.pid) {
            return true;
        }
    }
    return false;
}

} // namespace luatrail::host
