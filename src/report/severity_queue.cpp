#include "report/severity_queue.hpp"

#include <algorithm>
#include <utility>

namespace luatrail::report {

std::vector<Message> SeverityQueue::push(Message message) {
    auto& own = by_severity_.at(static_cast<std::size_t>(message.severity));
    ++size_;
    bytes_ += message.text.size();
    own.push_back({next_order_++, std::move(message)});
    std::vector<Message> gone;
    while (size_ > capacity_ || bytes_ > byte_capacity_) {
        auto& lowest =
            *std::find_if(by_severity_.begin(), by_severity_.end(), [](const auto& queue) { return !queue.empty(); });
        Message last = std::move(lowest.back().message);
        lowest.pop_back();
        forget(last);
        last.text.clear();
        gone.push_back(std::move(last));
    }
    return gone;
}

std::size_t SeverityQueue::oldest() const {
    const auto* const found =
        std::min_element(by_severity_.begin(), by_severity_.end(), [](const auto& left, const auto& right) {
            return !left.empty() && (right.empty() || left.front().order < right.front().order);
        });
    return static_cast<std::size_t>(found - by_severity_.begin());
}

std::vector<const Message*> SeverityQueue::all() const {
    std::vector<const Entry*> entries;
    for (const auto& queue : by_severity_) {
        for (const auto& entry : queue) {
            entries.push_back(&entry);
        }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) { return a->order < b->order; });
    std::vector<const Message*> messages;
    messages.reserve(entries.size());
    for (const auto* entry : entries) {
        messages.push_back(&entry->message);
    }
    return messages;
}

const Message& SeverityQueue::front() const {
    return by_severity_.at(oldest()).front().message;
}

Message SeverityQueue::pop() {
    auto& queue = by_severity_.at(oldest());
    Message message = std::move(queue.front().message);
    queue.pop_front();
    forget(message);
    return message;
}

void SeverityQueue::forget(const Message& message) {
    --size_;
    bytes_ -= message.text.size();
}

} // namespace luatrail::report
