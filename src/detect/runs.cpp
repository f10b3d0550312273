#include "detect/runs.hpp"

#include <algorithm>

#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"

namespace luatrail::detect {
namespace {

constexpr std::size_t most_runs = 512; // each event that could follow a run is compared with them

// One that goes on can still do something; one with a chain is what others are looked at for.
int worth(const Run& run) {
    const int severity = run.severity ? 1 + static_cast<int>(*run.severity) : 0;
    return 4 * severity + (run.chained != 0 ? 2 : 0) + (run.ended ? 0 : 1);
}

} // namespace

void Runs::add(Run run) {
    if (runs_.size() >= most_runs) {
        give_way();
    }
    runs_.push_back(std::move(run));
    by_slot_.emplace(runs_.back().process.slot, std::prev(runs_.end()));
    facts_bytes_ += heap_of(runs_.back());
    measure();
}

void Runs::add(Run run, Finding finding) {
    keep(run, std::move(finding));
    add(std::move(run));
}

void Runs::change(Run& run, Finding finding) {
    facts_bytes_ -= heap_of(run);
    keep(run, std::move(finding));
    facts_bytes_ += heap_of(run);
    measure();
}

bool Runs::give_way() {
    const auto least =
        std::min_element(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return worth(a) < worth(b); });
    if (least == runs_.end()) {
        return false;
    }
    ++evicted_;
    if (!least->expected) {
        lost_until_ms_ = std::max(lost_until_ms_, least->event.time_ms);
    }
    forget(least);
    return true;
}

void Runs::expire(std::int64_t horizon_ms) {
    while (!runs_.empty() && runs_.front().event.time_ms < horizon_ms) {
        forget(runs_.begin());
    }
}

void Runs::clear() {
    runs_.clear();
    by_slot_.clear();
    facts_bytes_ = 0;
    measure();
}

void Runs::forget(Place run) {
    const auto [first, last] = by_slot_.equal_range(run->process.slot);
    by_slot_.erase(std::find_if(first, last, [run](const auto& entry) { return entry.second == run; }));
    facts_bytes_ -= heap_of(*run);
    runs_.erase(run);
    measure();
}

void Runs::measure() {
    const auto one = base::list_node<Run>() + base::hash_node<std::uint32_t, Place>();
    charge_.resize(facts_bytes_ + runs_.size() * one + base::hash_buckets(by_slot_));
}

bool Runs::has(host::ProcessRef process) const {
    const auto [first, last] = by_slot_.equal_range(process.slot);
    return std::any_of(first, last, [process](const auto& entry) { return entry.second->process == process; });
}

std::vector<Run*> Runs::of(host::ProcessRef process) {
    std::vector<Run*> found;
    const auto [first, last] = by_slot_.equal_range(process.slot);
    for (auto entry = first; entry != last; ++entry) {
        if (entry->second->process == process) {
            found.push_back(&*entry->second);
        }
    }
    return found;
}

void Runs::save(base::Packer& out) const {
    out(lost_until_ms_);
    out.number(runs_.size());
    for (const auto& run : runs_) {
        out(run);
    }
}

void Runs::load(base::Unpacker& in) {
    clear();
    in(lost_until_ms_);
    for (auto left = in.size(); left > 0; --left) {
        Run run;
        in(run);
        recall(run, {}); // throws where its facts are none
        add(std::move(run));
    }
}

} // namespace luatrail::detect
