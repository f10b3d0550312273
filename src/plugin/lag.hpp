// How long after their kernel's stamp events came to be judged.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace luatrail::plugin {

class Lag {
  public:
    // Upper bounds in milliseconds; beyond the last one there is one more bucket.
    static constexpr std::array<std::int64_t, 12> bounds{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 30000};

    void add(std::int64_t ms);
    const std::array<std::uint64_t, bounds.size() + 1>& counts() const { return counts_; } // not cumulative
    std::uint64_t total() const { return total_; }
    std::int64_t sum_ms() const { return sum_ms_; }
    std::int64_t newest_ms() const { return newest_ms_; }
    // Upper bound of the bucket in which the share of the events lies; nothing beyond the last one, or without events.
    std::optional<std::int64_t> percentile(double share) const;

  private:
    std::array<std::uint64_t, bounds.size() + 1> counts_{};
    std::uint64_t total_ = 0;
    std::int64_t sum_ms_ = 0, newest_ms_ = 0;
};

} // namespace luatrail::plugin
