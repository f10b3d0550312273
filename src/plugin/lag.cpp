#include "plugin/lag.hpp"

#include <algorithm>

namespace luatrail::plugin {

void Lag::add(std::int64_t ms) {
    newest_ms_ = std::max<std::int64_t>(ms, 0); // the kernel's stamp may be finer than our clock
    const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), newest_ms_);
    ++counts_.at(static_cast<std::size_t>(bound - bounds.begin()));
    ++total_;
    sum_ms_ += newest_ms_;
}

std::optional<std::int64_t> Lag::percentile(double share) const {
    std::uint64_t below = 0;
    for (std::size_t at = 0; at < bounds.size() && total_ > 0; ++at) {
        below += counts_.at(at);
        if (static_cast<double>(below) >= share * static_cast<double>(total_)) {
            return bounds.at(at);
        }
    }
    return std::nullopt;
}

} // namespace luatrail::plugin
