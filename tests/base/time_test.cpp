#include "luatrail/base/time.hpp"

#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace luatrail::base;

namespace {

struct Reading {
    std::string text;
    std::optional<std::int64_t> ms;
};

} // namespace

TEST_CASE("a duration is read with its units, largest first") {
    for (const auto& [text, ms] : std::vector<Reading>{{"250ms", 250},
                                                       {"0s", 0},
                                                       {"30s", 30'000},
                                                       {"10m", 600'000},
                                                       {"2h", 7'200'000},
                                                       {"7d", 604'800'000},
                                                       {"1h30m", 5'400'000},
                                                       {"1d1h1m1s1ms", 90'061'001},
                                                       {"36525d", 3'155'760'000'000}}) {
        CAPTURE(text);
        CHECK(parse_duration(text) == ms);
    }
}

TEST_CASE("what is no duration is refused") {
    for (const char* text :
         {"", "10", "m", "-1s", "+1s", "1.5h", "10 m", " 10m", "10m ", "30m1h", "1m1m", "10M", "10min", "36525d1ms",
          "36526d", "9223372036854775807ms", "99999999999999999999s", "1s\n", "0x1s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text).has_value());
    }
}

TEST_CASE("a duration is told in its two largest units") {
    struct Told {
        std::int64_t ms;
        std::string text;
    };
    for (const auto& [ms, text] :
         std::vector<Told>{{0, "0 ms"},
                           {4, "4 ms"},
                           {999, "999 ms"},
                           {1000, "1 s"},
                           {1234, "1.2 s"},
                           {59'999, "59.9 s"},
                           {60'000, "1 min"},
                           {570'000, "9 min 30 s"},
                           {3'599'999, "59 min 59 s"},
                           {7'500'000, "2 h 5 min"},
                           {86'400'000, "1 d"},
                           {273'600'000, "3 d 4 h"},
                           {-4, "-4 ms"},
                           {std::numeric_limits<std::int64_t>::min(), "-106751991167 d 7 h"}}) {
        CHECK(duration_text(ms) == text);
    }
}

TEST_CASE("a time is shown in UTC with milliseconds") {
    struct Shown {
        std::int64_t ms;
        std::string text;
    };
    for (const auto& [ms, text] :
         std::vector<Shown>{{0, "1970-01-01T00:00:00.000Z"},
                            {1795572010666, "2026-11-25T02:00:10.666Z"},
                            {951782400000, "2000-02-29T00:00:00.000Z"},
                            {-1, "1969-12-31T23:59:59.999Z"},
                            {std::numeric_limits<std::int64_t>::max(), "9999-12-31T23:59:59.999Z"},
                            {std::numeric_limits<std::int64_t>::min(), "0000-01-01T00:00:00.000Z"}}) {
        CHECK(iso_time(ms) == text);
    }
}

TEST_CASE("a time is read as RFC 3339 or as seconds since the epoch") {
    constexpr std::int64_t day = 1795564800000; // 2026-11-25T00:00:00Z
    for (const auto& [text, ms] : std::vector<Reading>{{"2026-11-25", day},
                                                       {"2026-11-25T02:00", day + 7'200'000},
                                                       {"2026-11-25 02:00:10", day + 7'210'000},
                                                       {"2026-11-25T02:00:10.666Z", 1795572010666},
                                                       {"2026-11-25t02:00:10.6667z", 1795572010666},
                                                       {"2026-11-25T02:00:10.5", day + 7'210'500},
                                                       {"2026-11-25T03:30:10.666+01:30", 1795572010666},
                                                       {"2026-11-24T21:00:10.666-05:00", 1795572010666},
                                                       {"2016-12-31T23:59:60Z", 1483228800000},
                                                       {"2024-02-29", 1709164800000},
                                                       {"1969-12-31T23:59:59.999Z", -1},
                                                       {"@1795572010.666", 1795572010666},
                                                       {"@1795572010", 1795572010000},
                                                       {"@0.5", 500}}) {
        CAPTURE(text);
        CHECK(parse_time(text) == ms);
    }
}

TEST_CASE("what is no time is refused") {
    for (const char* text : {"",
                             "2026",
                             "2026-11",
                             "2026-11-31",
                             "2025-02-29",
                             "2026-13-01",
                             "2026-00-10",
                             "26-11-25",
                             "2026-11-25Z",
                             "2026-11-25T",
                             "2026-11-25T02",
                             "2026-11-25T24:00",
                             "2026-11-25T02:60",
                             "2026-11-25T02:00:61",
                             "2026-11-25T02:00:10.",
                             "2026-11-25T02:00+1",
                             "2026-11-25T02:00+24:00",
                             "2026-11-25T02:00:10 Z",
                             "2026/11/25",
                             "25.11.2026",
                             "@",
                             "@-1",
                             "@1.",
                             "@1.2.3",
                             "@99999999999999999999",
                             "now",
                             "2026-11-25 ",
                             " 2026-11-25"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(text).has_value());
    }
}

TEST_CASE("a time that was shown is read back") {
    for (std::int64_t ms = -62'167'219'200'000; ms < 253'402'300'800'000; ms += 7'654'321'098'765) {
        CHECK(parse_time(iso_time(ms)) == ms);
    }
}
