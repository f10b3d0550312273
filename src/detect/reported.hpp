// Ids of the latest findings that were reported: the same log given twice yields each once.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_set>

#include "luatrail/base/budget.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"

namespace luatrail::detect {

class Reported {
  public:
    explicit Reported(base::Budget& budget) : charge_(budget) { measure(); }

    // `id`: 16 hex digits. False: it was reported before.
    bool add(std::string_view id) {
        std::uint64_t number = 0;
        std::from_chars(id.data(), id.data() + id.size(), number, 16);
        if (!ids_.insert(number).second) {
            return false;
        }
        order_.push_back(number);
        if (order_.size() > most) {
            ids_.erase(order_.front());
            order_.pop_front();
        }
        measure();
        return true;
    }

    void save(base::Packer& out) const { out(order_); }
    void load(base::Unpacker& in) {
        in(order_);
        while (order_.size() > most) {
            order_.pop_front();
        }
        ids_ = {order_.begin(), order_.end()};
        measure();
    }

  private:
    static constexpr std::size_t most = 8192;

    void measure() {
        charge_.resize(ids_.size() * base::block(sizeof(std::uint64_t) + sizeof(void*)) + base::hash_buckets(ids_) +
                       base::deque_blocks(order_));
    }

    std::unordered_set<std::uint64_t> ids_;
    std::deque<std::uint64_t> order_; // oldest first
    base::Charge charge_;
};

} // namespace luatrail::detect
