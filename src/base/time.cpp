#include "luatrail/base/time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

#include <fmt/format.h>

namespace luatrail::base {
namespace {

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t longest_duration_ms = 36525 * day_ms; // 100 years

struct Unit {
    std::string_view name;
    std::int64_t ms;
};
constexpr std::array<Unit, 5> units{
    {{"d", day_ms}, {"h", hour_ms}, {"m", minute_ms}, {"s", second_ms}, {"ms", std::int64_t{1}}}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Reads from the front of a text, and remembers whether everything so far was as asked.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool at_end() const { return rest_.empty(); }
    char next() const { return rest_.empty() ? '\0' : rest_.front(); }

    bool skip(std::string_view any_of) {
        if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    std::string_view take_while(bool (*wanted)(char)) {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), wanted);
        const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(taken.size());
        return taken;
    }

    // Exactly `digits` digits with a value in low..high.
    std::optional<std::int64_t> number(std::size_t digits, std::int64_t low, std::int64_t high) {
        if (rest_.size() < digits ||
            !std::all_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(digits), is_digit)) {
            return std::nullopt;
        }
        std::int64_t value = 0;
        for (const char c : rest_.substr(0, digits)) {
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return value >= low && value <= high ? std::optional(value) : std::nullopt;
    }

  private:
    std::string_view rest_;
};

// At most 15 digits: more can't be a number that matters here, and would overflow.
std::optional<std::int64_t> whole_number(std::string_view digits) {
    if (digits.empty() || digits.size() > 15) {
        return std::nullopt;
    }
    return Reader(digits).number(digits.size(), 0, 999'999'999'999'999);
}

// "666" behind a point is 666 ms, "5" is 500 ms, "6667" is 666 ms.
std::optional<std::int64_t> fraction_ms(Reader& reader) {
    const auto digits = reader.take_while(is_digit);
    if (digits.empty()) {
        return std::nullopt;
    }
    std::int64_t ms = 0;
    for (std::size_t at = 0; at < 3; ++at) {
        ms = ms * 10 + (at < digits.size() ? digits[at] - '0' : 0);
    }
    return ms;
}

std::optional<std::int64_t> parse_epoch(Reader& reader) {
    const auto seconds = whole_number(reader.take_while(is_digit));
    std::optional<std::int64_t> ms = 0;
    if (reader.skip(".")) {
        ms = fraction_ms(reader);
    }
    constexpr std::int64_t year_10000 = 253'402'300'800;
    if (!seconds || *seconds >= year_10000 || !ms || !reader.at_end()) {
        return std::nullopt;
    }
    return *seconds * second_ms + *ms;
}

std::optional<std::int64_t> parse_date(Reader& reader) {
    const auto year = reader.number(4, 0, 9999);
    const bool first = reader.skip("-");
    const auto month = reader.number(2, 1, 12);
    const bool second = reader.skip("-");
    const auto day = reader.number(2, 1, 31);
    if (!year || !first || !month || !second || !day) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) {
        return std::nullopt;
    }
    return std::chrono::sys_days{date}.time_since_epoch().count() * day_ms;
}

std::optional<std::int64_t> parse_clock(Reader& reader) {
    const auto hour = reader.number(2, 0, 23);
    const bool colon = reader.skip(":");
    const auto minute = reader.number(2, 0, 59);
    if (!hour || !colon || !minute) {
        return std::nullopt;
    }
    std::int64_t ms = *hour * hour_ms + *minute * minute_ms;
    if (reader.skip(":")) {
        const auto seconds = reader.number(2, 0, 60); // a leap second counts as the next minute's first
        if (!seconds) {
            return std::nullopt;
        }
        ms += *seconds * second_ms;
        if (reader.skip(".")) {
            const auto fraction = fraction_ms(reader);
            if (!fraction) {
                return std::nullopt;
            }
            ms += *fraction;
        }
    }
    return ms;
}

std::optional<std::int64_t> parse_offset(Reader& reader) {
    if (reader.at_end() || reader.skip("Zz")) {
        return 0;
    }
    const bool west = reader.next() == '-';
    if (!reader.skip("+-")) {
        return std::nullopt;
    }
    const auto hours = reader.number(2, 0, 23);
    const bool colon = reader.skip(":");
    const auto minutes = reader.number(2, 0, 59);
    if (!hours || !colon || !minutes) {
        return std::nullopt;
    }
    const auto offset = *hours * hour_ms + *minutes * minute_ms;
    return west ? -offset : offset;
}

std::string two_units(std::int64_t ms, const Unit& large, const Unit& small) {
    const auto rest = ms % large.ms / small.ms;
    if (rest == 0) {
        return fmt::format("{} {}", ms / large.ms, large.name);
    }
    return fmt::format("{} {} {} {}", ms / large.ms, large.name, rest, small.name);
}

} // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
    if (text.empty()) {
        return std::nullopt;
    }
    Reader reader(text);
    std::int64_t total = 0;
    const auto* allowed = units.begin();
    while (!reader.at_end()) {
        const auto count = whole_number(reader.take_while(is_digit));
        const auto name = reader.take_while([](char c) { return !is_digit(c); });
        const auto* const unit =
            std::find_if(allowed, units.end(), [&](const Unit& candidate) { return candidate.name == name; });
        if (!count || unit == units.end() || *count > (longest_duration_ms - total) / unit->ms) {
            return std::nullopt;
        }
        total += *count * unit->ms;
        allowed = unit + 1;
    }
    return total;
}

std::string duration_text(std::int64_t ms) {
    if (ms < 0) {
        return "-" + duration_text(-std::max(ms, -std::numeric_limits<std::int64_t>::max()));
    }
    if (ms < second_ms) {
        return fmt::format("{} ms", ms);
    }
    if (ms < minute_ms) {
        const auto tenths = ms / 100;
        return tenths % 10 == 0 ? fmt::format("{} s", tenths / 10) : fmt::format("{}.{} s", tenths / 10, tenths % 10);
    }
    if (ms < hour_ms) {
        return two_units(ms, {"min", minute_ms}, {"s", second_ms});
    }
    if (ms < day_ms) {
        return two_units(ms, {"h", hour_ms}, {"min", minute_ms});
    }
    return two_units(ms, {"d", day_ms}, {"h", hour_ms});
}

std::string iso_time(std::int64_t ms) {
    constexpr std::int64_t first = -62'167'219'200'000; // 0000-01-01T00:00:00.000Z
    constexpr std::int64_t last = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z
    ms = std::clamp(ms, first, last);
    const std::chrono::sys_time<std::chrono::milliseconds> point{std::chrono::milliseconds{ms}};
    const auto day = std::chrono::floor<std::chrono::days>(point);
    const std::chrono::year_month_day date{day};
    const std::int64_t clock = (point - day).count();
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock / hour_ms,
                       clock % hour_ms / minute_ms, clock % minute_ms / second_ms, clock % second_ms);
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    Reader reader(text);
    if (reader.skip("@")) {
        return parse_epoch(reader);
    }
    const auto date = parse_date(reader);
    if (!date || reader.at_end()) {
        return date;
    }
    if (!reader.skip("Tt ")) {
        return std::nullopt;
    }
    const auto clock = parse_clock(reader);
    const auto offset = clock ? parse_offset(reader) : std::nullopt;
    if (!offset || !reader.at_end()) {
        return std::nullopt;
    }
    return *date + *clock - *offset;
}

} // namespace luatrail::base
