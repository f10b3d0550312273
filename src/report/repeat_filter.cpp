#include "luatrail/report/repeat_filter.hpp"

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace luatrail::report {
namespace {

using detect::Finding;

// Lengths before texts: no text can be made to look like two others.
void add(std::string& key, std::string_view text) {
    key += fmt::format("{}:{},", text.size(), text);
}

void add(std::string& key, const std::optional<std::string>& text) {
    if (text) {
        add(key, std::string_view(*text));
    } else {
        key += "-,";
    }
}

// The whole key is kept and compared, not a digest of it: two findings that an attacker made collide would hide one.
std::string key_of(const Finding& finding) {
    const bool critical = finding.severity == detect::Severity::critical;
    std::string key;
    add(key, finding.node);
    add(key, to_string(finding.severity));
    add(key, finding.interpreter.exe);
    key += finding.process.uid ? fmt::format("{},", *finding.process.uid) : "-,";
    add(key, to_string(finding.code.origin));
    add(key, finding.code.path);
    add(key, finding.code.inline_text);
    if (critical) {
        add(key, finding.code.argument);
    }
    for (const auto& entry : finding.chain) {
        add(key, to_string(entry.kind));
        if (critical) {
            add(key, entry.path);
        }
    }
    return key;
}

std::size_t size_of(const std::vector<std::string>& words) {
    std::size_t sum = words.size() * sizeof(std::string);
    for (const auto& word : words) {
        sum += word.size();
    }
    return sum;
}

// An estimate, of what can be large.
std::size_t size_of(const Finding& finding) {
    std::size_t sum = sizeof(Finding) + size_of(finding.process.argv);
    sum += finding.code.inline_text ? finding.code.inline_text->size() : 0;
    for (const auto& ancestor : finding.ancestors) {
        sum += sizeof ancestor + size_of(ancestor.argv);
    }
    return sum + finding.chain.size() * sizeof(detect::ChainEntry) + finding.events.size() * sizeof(audit::EventId);
}

} // namespace

struct RepeatFilter::Impl {
    struct Interval {
        std::int64_t opened_ms = 0;
        std::string first_id;
        std::uint64_t suppressed = 0;
        std::optional<Finding> last;
        std::size_t bytes = 0;
    };
    using Table = std::unordered_map<std::string, Interval>;
    using Order = std::multimap<std::int64_t, Table::value_type*>; // by opening; a map's elements never move

    Impl(detect::FindingSink& sink, const RepeatOptions& given) : next(sink), options(given) {}

    void open(std::string key, const Finding& finding);
    void suppress(Table::value_type& entry, const Finding& finding);
    void end(Order::iterator position);
    void end_until(std::int64_t now_ms);
    void bound();
    Order::iterator position_of(const Table::value_type& entry);

    detect::FindingSink& next;
    RepeatOptions options;
    RepeatCounters counters;
    Table table;
    Order order;
    std::size_t bytes = 0;
};

void RepeatFilter::Impl::open(std::string key, const Finding& finding) {
    const auto size = 2 * sizeof(Interval) + key.size();
    auto& entry = *table.emplace(std::move(key), Interval{finding.time_ms, finding.id, 0, std::nullopt, size}).first;
    order.emplace(finding.time_ms, &entry);
    bytes += size;
    ++counters.passed;
    next.on_finding(finding);
}

void RepeatFilter::Impl::suppress(Table::value_type& entry, const Finding& finding) {
    auto& interval = entry.second;
    ++interval.suppressed;
    ++counters.suppressed;
    const auto added = size_of(finding);
    const auto removed = interval.last ? size_of(*interval.last) : 0;
    interval.last = finding;
    interval.bytes = interval.bytes + added - removed;
    bytes = bytes + added - removed;
}

// Takes the entry out first: what the next sink does can then not meet it half-way.
void RepeatFilter::Impl::end(Order::iterator position) {
    const auto taken = table.extract(position->second->first);
    order.erase(position);
    const Interval& interval = taken.mapped();
    bytes -= interval.bytes;
    if (!interval.last) {
        return;
    }
    Finding summary = *interval.last;
    summary.repeated = detect::Repetition{interval.suppressed + 1, interval.opened_ms, interval.first_id};
    ++counters.summaries;
    next.on_finding(summary);
}

void RepeatFilter::Impl::end_until(std::int64_t now_ms) {
    while (!order.empty() && order.begin()->first <= now_ms - options.repeat_ms) {
        end(order.begin());
    }
}

void RepeatFilter::Impl::bound() {
    while (!order.empty() && (table.size() > options.capacity || bytes > options.bytes)) {
        ++counters.evicted;
        end(order.begin());
    }
}

RepeatFilter::Impl::Order::iterator RepeatFilter::Impl::position_of(const Table::value_type& entry) {
    auto [at, last] = order.equal_range(entry.second.opened_ms);
    while (at != last && at->second != &entry) {
        ++at;
    }
    return at;
}

RepeatFilter::RepeatFilter(detect::FindingSink& next, const RepeatOptions& options)
    : impl_(std::make_unique<Impl>(next, options)) {}

RepeatFilter::~RepeatFilter() = default;

void RepeatFilter::on_finding(const Finding& finding) {
    if (impl_->options.repeat_ms <= 0) {
        ++impl_->counters.passed;
        impl_->next.on_finding(finding);
        return;
    }
    impl_->end_until(finding.time_ms);
    std::string key = key_of(finding);
    auto found = impl_->table.find(key);
    if (found != impl_->table.end() &&
        std::abs(finding.time_ms - found->second.opened_ms) >= impl_->options.repeat_ms) {
        impl_->end(impl_->position_of(*found)); // from long before its interval
        found = impl_->table.end();
    }
    if (found == impl_->table.end()) {
        impl_->open(std::move(key), finding);
    } else {
        impl_->suppress(*found, finding);
    }
    impl_->bound();
}

void RepeatFilter::tick(std::int64_t now_ms) {
    impl_->end_until(now_ms);
}

void RepeatFilter::flush() {
    while (!impl_->order.empty()) {
        impl_->end(impl_->order.begin());
    }
}

const RepeatCounters& RepeatFilter::counters() const {
    return impl_->counters;
}

} // namespace luatrail::report
