// Findings on their way out, with what a look at this host adds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "luatrail/detect/finding.hpp"
#include "plugin/look_up.hpp"
#include "plugin/worker.hpp"

namespace luatrail::plugin {

struct LookUpCounters {
    std::uint64_t done = 0;
    std::uint64_t late = 0;    // did not come back in time: the finding went without
    std::uint64_t skipped = 0; // because one was still out, or too much time was spent on them lately
};

// A finding waits for its look-up, but never longer than `patience_ms`; all of them together take no more than a fifth
// of the time. What is left out is said in the finding's evidence. Findings of long ago (a recording that is fed to the
// plugin) pass untouched.
class EvidenceSink : public detect::FindingSink {
  public:
    static constexpr std::int64_t patience_ms = 40;

    // `next` outlives it. Starts a thread: to be made after capabilities were given up and before system calls are
    // filtered.
    explicit EvidenceSink(detect::FindingSink& next);

    void on_finding(const detect::Finding& finding) override;

    // What a look at a process shows, within the same bounds; nothing also where it was not looked at.
    std::optional<std::string> init_of(const detect::Finding& run);
    std::optional<std::string> lua_in(const detect::Finding& program);

    const LookUpCounters& counters() const { return counters_; }

  private:
    using Answer = std::optional<std::string>;
    Answer ask(const detect::Finding& finding, Answer (LookUps::*question)(const detect::Finding&) const);
    bool may_spend();

    detect::FindingSink& next_;
    std::shared_ptr<LookUps> look_ups_; // the worker's while it is busy
    Worker worker_;
    LookUpCounters counters_;
    double budget_ms_ = 0;
    std::int64_t budget_at_ms_ = 0;
};

} // namespace luatrail::plugin
