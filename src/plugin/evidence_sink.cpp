#include "plugin/evidence_sink.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "luatrail/base/clock.hpp"
#include "plugin/recent.hpp"

namespace luatrail::plugin {
namespace {

constexpr double share = 0.2;          // of the time
constexpr double most_saved_ms = 1000; // for a burst
constexpr const char* not_looked_at = "not looked at: ";

void say(detect::Finding& finding, const char* why) {
    finding.evidence.emplace().note = std::string(not_looked_at) + why;
}

} // namespace

EvidenceSink::EvidenceSink(detect::FindingSink& next)
    : next_(next), look_ups_(std::make_shared<LookUps>()), budget_ms_(most_saved_ms),
      budget_at_ms_(base::monotonic_ms()) {}

bool EvidenceSink::may_spend() {
    const auto now = base::monotonic_ms();
    budget_ms_ = std::min(most_saved_ms, budget_ms_ + share * static_cast<double>(now - budget_at_ms_));
    budget_at_ms_ = now;
    return budget_ms_ > 0;
}

void EvidenceSink::on_finding(const detect::Finding& finding) {
    if (!is_recent(finding.time_ms)) {
        next_.on_finding(finding);
        return;
    }
    const auto job = std::make_shared<detect::Finding>(finding);
    const auto began = std::chrono::steady_clock::now();
    detect::Finding left = finding;
    if (!may_spend()) {
        ++counters_.skipped;
        say(left, "too many look-ups lately");
    } else if (!worker_.start([look_ups = look_ups_, job] { look_ups->add_to(*job); })) {
        ++counters_.skipped;
        say(left, "an earlier look-up has not come back");
    } else if (!worker_.wait(std::chrono::milliseconds(patience_ms))) {
        ++counters_.late;
        say(left, "it took too long");
    } else {
        ++counters_.done;
        left = std::move(*job);
    }
    budget_ms_ -= std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
    next_.on_finding(left);
}

EvidenceSink::Answer EvidenceSink::ask(const detect::Finding& finding,
                                       Answer (LookUps::*question)(const detect::Finding&) const) {
    if (!is_recent(finding.time_ms)) {
        return std::nullopt;
    }
    const auto about = std::make_shared<detect::Finding>(finding);
    const auto answer = std::make_shared<Answer>();
    const auto began = std::chrono::steady_clock::now();
    Answer found;
    if (!may_spend() ||
        !worker_.start([look_ups = look_ups_, about, answer, question] { *answer = (*look_ups.*question)(*about); })) {
        ++counters_.skipped;
    } else if (!worker_.wait(std::chrono::milliseconds(patience_ms))) {
        ++counters_.late;
    } else {
        ++counters_.done;
        found = std::move(*answer);
    }
    budget_ms_ -= std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
    return found;
}

std::optional<std::string> EvidenceSink::init_of(const detect::Finding& run) {
    return ask(run, &LookUps::init_of);
}

std::optional<std::string> EvidenceSink::lua_in(const detect::Finding& program) {
    return ask(program, &LookUps::lua_in);
}

} // namespace luatrail::plugin
