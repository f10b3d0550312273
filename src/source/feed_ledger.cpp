#include "source/feed_ledger.hpp"

#include <algorithm>

namespace luatrail::source {
namespace {

// The first of the newline-ended lines; leaves `lines` at the second.
std::string_view take_line(std::string_view& lines) {
    const auto end = lines.find('\n');
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    return line;
}

bool is_line(std::string_view line, const FeedLedger::Delivered& delivered) {
    if (!line.starts_with(delivered.raw)) {
        return false;
    }
    line.remove_prefix(delivered.raw.size());
    if (delivered.enriched.data() == nullptr) {
        return line.empty();
    }
    return line.starts_with('\x1d') && line.substr(1) == delivered.enriched;
}

} // namespace

void FeedLedger::add(std::string_view node, const audit::EventId& id, std::string_view line) {
    auto event = events_.find(KeyView{id, node});
    if (event == events_.end()) {
        event = events_.emplace(Key{id, std::string(node)}, Outstanding{begun_++, {}, 0}).first;
    }
    event->second.lines.append(line).push_back('\n');
    bytes_ += line.size() + 1;
}

void FeedLedger::forget(Events::iterator event) {
    bytes_ -= event->second.lines.size();
    events_.erase(event);
}

bool FeedLedger::settle(std::string_view node, const audit::EventId& id, const Delivered& delivered, const Lost& lost) {
    const auto event = events_.find(KeyView{id, node});
    if (event == events_.end()) {
        return false;
    }
    auto& outstanding = event->second;
    const auto all = std::string_view(outstanding.lines).substr(outstanding.done);
    auto behind = all;
    while (!behind.empty()) {
        const auto line = take_line(behind);
        if (!is_line(line, delivered)) {
            continue;
        }
        auto before = all.substr(0, static_cast<std::size_t>(line.data() - all.data()));
        while (!before.empty()) {
            lost(take_line(before));
        }
        outstanding.done = outstanding.lines.size() - behind.size();
        if (behind.empty()) {
            forget(event);
        }
        return true;
    }
    return false;
}

void FeedLedger::give_up(std::string_view node, const audit::EventId& id, const Lost& lost) {
    const auto event = events_.find(KeyView{id, node});
    if (event == events_.end()) {
        return;
    }
    auto left = std::string_view(event->second.lines).substr(event->second.done);
    while (!left.empty()) {
        lost(take_line(left));
    }
    forget(event);
}

void FeedLedger::give_up_before(std::int64_t time_ms, const Lost& lost) {
    std::vector<Events::iterator> old;
    for (auto event = events_.begin(); event != events_.end(); ++event) {
        if (event->first.id.time_ms < time_ms) {
            old.push_back(event);
        }
    }
    std::sort(old.begin(), old.end(), [](const auto& a, const auto& b) { return a->second.begun < b->second.begun; });
    for (const auto event : old) {
        auto left = std::string_view(event->second.lines).substr(event->second.done);
        while (!left.empty()) {
            lost(take_line(left));
        }
        forget(event);
    }
}

} // namespace luatrail::source
