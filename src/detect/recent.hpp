// The latest entries of one kind in a node's log: a bounded queue that is charged to a budget.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "luatrail/base/budget.hpp"
#include "luatrail/base/heap.hpp"

namespace luatrail::detect {

// `T` has heap_of(const T&) and time_of(const T&).
template <class T>
class Recent {
  public:
    static constexpr std::size_t most = 256;

    explicit Recent(base::Budget& budget) : charge_(budget) { measure(); }

    void keep(T one) {
        if (all_.size() >= most) {
            give_way();
        }
        all_.push_back(std::move(one));
        bytes_ += heap_of(all_.back());
        measure();
    }
    // Lets go of the oldest. False: there is none.
    bool give_way() {
        if (all_.empty()) {
            return false;
        }
        lost_until_ms_ = std::max(lost_until_ms_, time_of(all_.front()));
        bytes_ -= heap_of(all_.front());
        all_.pop_front();
        measure();
        return true;
    }
    void clear() {
        all_.clear();
        bytes_ = 0;
        measure();
    }
    void replace(typename std::deque<T>::const_iterator old, T one) {
        auto& place = all_[static_cast<std::size_t>(old - all_.begin())];
        bytes_ += heap_of(one) - heap_of(place);
        place = std::move(one);
        measure();
    }

    // The oldest first.
    auto begin() const { return all_.begin(); }
    auto end() const { return all_.end(); }
    auto rbegin() const { return all_.rbegin(); }
    auto rend() const { return all_.rend(); }
    bool empty() const { return all_.empty(); }
    std::size_t size() const { return all_.size(); }
    std::size_t bytes() const { return charge_.bytes(); }
    // Whether one had to go that was as new as that.
    bool lost_since(std::int64_t time_ms) const { return lost_until_ms_ >= time_ms; }

    template <class Archive>
    friend void transfer(Archive& archive, Recent& recent) {
        archive(recent.all_, recent.lost_until_ms_);
        if constexpr (Archive::reading) {
            while (recent.all_.size() > most) {
                recent.all_.pop_front();
            }
            recent.bytes_ = 0;
            for (const auto& one : recent.all_) {
                recent.bytes_ += heap_of(one);
            }
            recent.measure();
        }
    }

  private:
    void measure() { charge_.resize(bytes_ + base::deque_blocks(all_)); }

    std::deque<T> all_;
    std::size_t bytes_ = 0;                  // that the elements hold
    std::int64_t lost_until_ms_ = INT64_MIN; // time of the newest that had to go
    base::Charge charge_;
};

} // namespace luatrail::detect
