// A log into which rotated ones were put together in another order than their time's ("cat audit.log*").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "luatrail/audit/record.hpp"

namespace luatrail::source {

// No kernel had an audit before 2005: at an earlier time a clock stood still, or began anew.
inline constexpr std::int64_t earliest_ms = 1'104'537'600'000;

// A part of a file whose records follow each other.
struct Piece {
    std::uint64_t at = 0, size = 0; // bytes
    audit::EventId first, last;
};

// The pieces of a plain file in the order of their time. Empty where the file is in order, and where nothing shows what
// the order is: a clock that was set back or stood at 1970, logs of several hosts, more than some thousand pieces.
// Reads samples of a large file, all of it only where they are out of order.
std::vector<Piece> pieces_of(const std::string& path, std::uint64_t size);

// The id of the last record that the last 64 KiB of a plain file show.
std::optional<audit::EventId> last_record(const std::string& path, std::uint64_t size);

} // namespace luatrail::source
