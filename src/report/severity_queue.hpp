// Messages in order, of which the least severe go when there are too many.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

struct Message {
    detect::Severity severity = detect::Severity::info;
    std::int64_t time_ms = 0; // of the finding
    std::string text;
    bool finding = true; // not a notice: those are counted by nobody
};

// First in, first out; beyond its bounds the newest message of the lowest severity leaves. Every operation takes
// constant time.
class SeverityQueue {
  public:
    SeverityQueue(std::size_t capacity, std::size_t bytes) : capacity_(capacity), byte_capacity_(bytes) {}

    // Returns what had to go, without its text: mostly nothing, one, or `message` itself.
    std::vector<Message> push(Message message);
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    // Oldest first.
    std::vector<const Message*> all() const;
    const Message& front() const; // not empty
    Message pop();                // not empty

  private:
    struct Entry {
        std::uint64_t order;
        Message message;
    };
    std::size_t oldest() const; // index of the queue whose front came first
    void forget(const Message& message);

    std::array<std::deque<Entry>, 5> by_severity_;
    std::size_t capacity_, byte_capacity_;
    std::size_t size_ = 0, bytes_ = 0;
    std::uint64_t next_order_ = 0;
};

} // namespace luatrail::report
