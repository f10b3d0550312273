#include "plugin/evidence_sink.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <linux/capability.h>

#include "luatrail/base/clock.hpp"
#include "luatrail/base/digest.hpp"
#include "luatrail/base/pack.hpp"
#include "plugin/look_up.hpp"
#include "plugin/recent.hpp"

namespace luatrail::plugin {
namespace {

constexpr double share = 0.2;          // of the time
constexpr double most_saved_ms = 1000; // for a burst

} // namespace

std::unique_ptr<Helper> start_look_ups(const std::optional<Account>& account, bool filter) {
    base::sha256_hex({}); // the first digest takes its time: not that of the first finding
    Helper::Task task{"luatrail-look", {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE}, Calls::look_ups, false, filter, -1, {}};
    task.answer = [look_ups = std::make_shared<LookUps>()](std::string_view question) {
        return write_answered(look_ups->answer(read_asked(question)));
    };
    return std::make_unique<Helper>(task, account);
}

EvidenceSink::EvidenceSink(Helper& helper, detect::FindingSink& next)
    : helper_(helper), next_(next), budget_ms_(most_saved_ms), budget_at_ms_(base::monotonic_ms()) {}

bool EvidenceSink::may_spend() {
    const auto now = base::monotonic_ms();
    budget_ms_ = std::min(most_saved_ms, budget_ms_ + share * static_cast<double>(now - budget_at_ms_));
    budget_at_ms_ = now;
    return budget_ms_ > 0;
}

std::optional<Answered> EvidenceSink::look(Question question, const detect::Finding& about, const char*& why_not) {
    if (!helper_.alive()) {
        ++counters_.ended;
        why_not = "the helper that looks has ended; restart auditd";
        return std::nullopt;
    }
    if (!may_spend()) {
        ++counters_.skipped;
        why_not = "too many look-ups lately";
        return std::nullopt;
    }
    if (!helper_.ask(write_asked({question, asked_run(about)}))) {
        ++counters_.skipped;
        why_not = "an earlier look-up has not come back";
        return std::nullopt;
    }
    const auto began = std::chrono::steady_clock::now();
    const auto bytes = helper_.answer(std::chrono::milliseconds(patience_ms));
    budget_ms_ -= std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
    try {
        if (bytes) {
            auto answered = read_answered(*bytes);
            ++counters_.done;
            return answered;
        }
    } catch (const base::UnpackError&) { // as if none had come
    }
    ++counters_.late;
    why_not = "it took too long";
    return std::nullopt;
}

void EvidenceSink::on_finding(const detect::Finding& finding) {
    if (!is_recent(finding.time_ms)) {
        next_.on_finding(finding);
        return;
    }
    auto left = finding;
    const char* why_not = "";
    if (auto answered = look(Question::evidence, finding, why_not); answered && answered->seen) {
        add_to(left, std::move(*answered->seen));
    } else {
        left.evidence.emplace().note = std::string("not looked at: ") + why_not;
    }
    next_.on_finding(left);
}

std::optional<std::string> EvidenceSink::ask(Question question, const detect::Finding& about) {
    const char* why_not = "";
    auto answered = is_recent(about.time_ms) ? look(question, about, why_not) : std::nullopt;
    return answered ? std::move(answered->text) : std::nullopt;
}

} // namespace luatrail::plugin
