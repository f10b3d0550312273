// The keys of the last `size` events that were handed over. Read and written once an event, so made to touch little
// memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "luatrail/audit/record.hpp"

namespace luatrail::audit {

// What distinguishes events: nodes by hash, since their names are stored with the events in flight.
struct EventKey {
    EventId id;
    std::size_t node_hash = 0;
    friend bool operator==(const EventKey&, const EventKey&) = default;
};

struct EventKeyHash {
    std::size_t operator()(const EventKey& key) const noexcept {
        return std::hash<EventId>{}(key.id) ^ (key.node_hash * 31);
    }
};

// A ring with a chain for each hash through it. A key is never taken out: a chain ends where it leads to a place that a
// later key has taken.
class RecentKeys {
  public:
    void add(const EventKey& key) {
        auto& head = heads_[bucket_of(key)];
        places_[count_ % size] = {key, head};
        head = ++count_;
    }

    bool contains(const EventKey& key) const {
        // Numbers begin at 1: the key with number n stands at (n - 1) % size.
        for (auto number = heads_[bucket_of(key)]; number != 0 && number + size > count_;) {
            const auto& place = places_[(number - 1) % size];
            if (place.key == key) {
                return true;
            }
            number = place.before;
        }
        return false;
    }

  private:
    static constexpr std::size_t size = 4096;
    static constexpr std::size_t buckets = 8192;

    static std::size_t bucket_of(const EventKey& key) { return EventKeyHash{}(key) % buckets; }

    struct Place {
        EventKey key;
        std::uint64_t before = 0; // the number of the chain's next
    };
    std::array<Place, size> places_{};
    std::array<std::uint64_t, buckets> heads_{};
    std::uint64_t count_ = 0;
};

} // namespace luatrail::audit
