// Durations and points in time as users write them, and as findings show them. UTC throughout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace luatrail::base {

// "250ms", "30s", "10m", "2h", "7d", "1h30m" (larger units first, each once, no blanks). Milliseconds; nothing when
// malformed, negative or above 100 years. A bare number is refused.
std::optional<std::int64_t> parse_duration(std::string_view text);

// "4 ms", "1.2 s", "9 min 30 s", "2 h 5 min", "3 d 4 h": for a person, so cut (not rounded) after its two largest
// units.
std::string duration_text(std::int64_t ms);

// "2026-11-25T02:00:10.666Z" (RFC 3339), milliseconds since the epoch in. Years outside of 0000 to 9999, which RFC 3339
// can't write, become the first or last millisecond of that range.
std::string iso_time(std::int64_t ms);

// RFC 3339 date or date-time ("2026-11-25", "2026-11-25T02:00", "2026-11-25 02:00:10.666", with Z or an offset; UTC
// when none is given) or
// "@SECONDS[.MILLIS]". Fractions finer than a millisecond are cut. Nothing when malformed.
std::optional<std::int64_t> parse_time(std::string_view text);

} // namespace luatrail::base
