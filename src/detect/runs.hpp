// The runs of one node that later events may still raise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "detect/run.hpp"
#include "luatrail/base/budget.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace luatrail::detect {

class Runs {
  public:
    explicit Runs(base::Budget& budget) : charge_(budget) {}

    void add(Run run);
    // With what its finding says.
    void add(Run run, Finding finding);
    // What is now known of one of them.
    void change(Run& run, Finding finding);
    // Lets go of the run that is worth least: an expected one before one that was reported, then by severity, the
    // oldest first. False: there is none.
    bool give_way();
    void expire(std::int64_t horizon_ms); // those that began before
    void clear();

    bool has(host::ProcessRef process) const;
    // Those of one process image; valid until a run is added or goes.
    std::vector<Run*> of(host::ProcessRef process);
    // The oldest first.
    std::list<Run>::iterator begin() { return runs_.begin(); }
    std::list<Run>::iterator end() { return runs_.end(); }
    bool empty() const { return runs_.empty(); }
    std::size_t size() const { return runs_.size(); }
    std::size_t bytes() const { return charge_.bytes(); }
    std::uint64_t evicted() const { return evicted_; }
    // Whether one that nobody expected had to go that began then or later.
    bool lost_since(std::int64_t time_ms) const { return lost_until_ms_ >= time_ms; }

    void save(base::Packer& out) const;
    // In place of all that is here. Throws base::UnpackError.
    void load(base::Unpacker& in);

  private:
    using Place = std::list<Run>::iterator;
    void forget(Place run);
    void measure();

    std::list<Run> runs_;
    std::unordered_multimap<std::uint32_t, Place> by_slot_; // of their processes
    std::size_t facts_bytes_ = 0;
    std::uint64_t evicted_ = 0;
    std::int64_t lost_until_ms_ = INT64_MIN;
    base::Charge charge_;
};

} // namespace luatrail::detect
