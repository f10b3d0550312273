// Equal findings within a short time are counted into one (limits.repeat).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

struct RepeatOptions {
    std::int64_t repeat_ms = 60'000;       // of event time; 0: everything passes
    std::size_t capacity = 4096;           // different findings that are remembered
    std::size_t bytes = 8UL * 1024 * 1024; // of what is remembered of them
};

struct RepeatCounters {
    std::uint64_t passed = 0;     // findings handed on as they came
    std::uint64_t suppressed = 0; // findings that were counted into another
    std::uint64_t summaries = 0;  // findings that report suppressed ones
    std::uint64_t evicted = 0;    // intervals that ended early because the table was full
};

// Findings are equal when node, severity, interpreter exe, uid, code origin, path and inline text and the kinds of
// their chain are; critical ones only when their argument and the paths of their chain are equal, too, so that a second
// dropped file is never hidden behind a first.
//
// The first of equal findings passes and opens an interval of `repeat_ms` of event time (in both directions: logs may
// be out of order). Those in it are held back. When it ends, by a later finding's time, tick or flush, and something
// was held back, the last one of them follows with one more reason, {"repeated", "seen 40 times since TIME, when
// finding ID was reported"}; the count includes the first. When the table is full, the interval that would end first
// ends early: nothing is lost.
class RepeatFilter : public detect::FindingSink {
  public:
    // `next` outlives the filter. Destruction does not flush.
    RepeatFilter(detect::FindingSink& next, const RepeatOptions& options);
    ~RepeatFilter() override;
    void on_finding(const detect::Finding& finding) override;
    // Ends the intervals that are over at this event time.
    void tick(std::int64_t now_ms);
    // Ends all of them.
    void flush();
    const RepeatCounters& counters() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::report
