// How the images of a ProcessTable come to be, end, and descend from each other. Private to this room.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/process_slots.hpp"

namespace luatrail::host {

// Generations that a walk climbs: more than any honest tree has, and a bound for a hostile one.
inline constexpr std::size_t generations = 1024;

// 0: the event names no process.
std::uint32_t pid_of(const audit::TypedEvent& event);
// Whether a record shows that the process runs another program than the image's.
bool other_exe(const Process& process, const audit::TypedEvent& s);
// Whether the event was earlier than the image.
bool before(const audit::EventId& event, const Process& image);
// 4294967295 when unset.
std::uint32_t session_of(const Process& process);

class Lineage {
  public:
    explicit Lineage(ProcessSlots& slots) : slots_(&slots) {}

    // A process that was not known.
    Slot& begin(const audit::TypedEvent& s, Born born);
    Slot& successor(Slot& image, const audit::TypedEvent& s, Born born);
    Slot* insert_before(Slot& image, const audit::TypedEvent& s);
    Slot& copy_of_parent(const Slot& parent, const audit::EventId& event, std::uint32_t child);
    void set_argv(Slot& image, const std::vector<std::string>& argv);
    void refresh(Slot& image, const audit::TypedEvent& s);
    void end(Slot& image, const audit::EventId& event);
    void adopt(Slot& child, ProcessRef parent);
    void born_by(Slot& child, const Slot& parent, const audit::EventId& fork);

    Slot* image_at(Slot& latest_image, const audit::EventId& event);
    Slot& root_of(Slot& image);
    bool same_process(const Slot& image, const audit::TypedEvent& s) const;
    bool straggler(const Slot& image, const audit::TypedEvent& s) const;

    const Slot* above(const Slot& image) const;
    bool descends(const Slot& from, const Slot& ancestor) const;

  private:
    void shorten(Slot& image);
    ProcessRef parent_by_ppid(const audit::TypedEvent& s);
    bool orphaned(const Slot& image) const;
    bool has_ancestor_pid(const Slot& image, std::uint32_t pid) const;

    ProcessSlots* slots_;
};

} // namespace luatrail::host
