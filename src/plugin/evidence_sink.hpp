// Findings on their way out, with what a look at this host adds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "luatrail/detect/finding.hpp"
#include "plugin/helper.hpp"
#include "plugin/look_up_question.hpp"

namespace luatrail::plugin {

struct LookUpCounters {
    std::uint64_t done = 0;
    std::uint64_t late = 0;    // did not come back in time: the finding went without
    std::uint64_t skipped = 0; // because one was still out, or too much time was spent on them lately
    std::uint64_t ended = 0;   // because the helper has ended
};

// The child process that looks: it alone may look at other users' files and processes.
std::unique_ptr<Helper> start_look_ups(const std::optional<Account>& account, bool filter);

// A finding waits for its look-up, but never longer than `patience_ms`; all of them together take no more than a fifth
// of the time. What is left out is said in the finding's evidence. Findings of long ago (a recording that is fed to the
// plugin) pass untouched.
class EvidenceSink : public detect::FindingSink {
  public:
    static constexpr std::int64_t patience_ms = 40;

    // Both outlive it.
    EvidenceSink(Helper& helper, detect::FindingSink& next);

    void on_finding(const detect::Finding& finding) override;

    // What a look at a process shows, within the same bounds; nothing also where it was not looked at.
    std::optional<std::string> init_of(const detect::Finding& run) { return ask(Question::init, run); }
    std::optional<std::string> lua_in(const detect::Finding& program) { return ask(Question::lua, program); }

    const LookUpCounters& counters() const { return counters_; }

  private:
    std::optional<std::string> ask(Question question, const detect::Finding& about);
    // Nothing when there is none, and why.
    std::optional<Answered> look(Question question, const detect::Finding& about, const char*& why_not);
    bool may_spend();

    Helper& helper_;
    detect::FindingSink& next_;
    LookUpCounters counters_;
    double budget_ms_;
    std::int64_t budget_at_ms_;
};

} // namespace luatrail::plugin
