#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

#include "luatrail/audit/record.hpp"

using namespace luatrail::audit;

TEST_CASE("an event's id is written as ausearch takes it, and read back") {
    const std::vector<std::pair<EventId, std::string>> cases = {
        {{1795572010666, 108274}, "1795572010.666:108274"},
        {{1795572010006, 1}, "1795572010.006:1"},
        {{0, 319}, "0.000:319"},
        {{99, 0}, "0.099:0"},
        {{1795572010666, 18446744073709551615ULL}, "1795572010.666:18446744073709551615"},
    };
    for (const auto& [id, text] : cases) {
        CHECK(to_string(id) == text);
        CHECK(parse_event_id(text) == id);
    }
}

TEST_CASE("seconds with fewer than nine digits are a time") {
    const EventId id{215159, 13046};
    CHECK(parse_event_id("215.159:13046") == id);
}

TEST_CASE("a serial of 32 bits may be at its end and begin anew") {
    const EventId last{1000, 4294967295}, next{1000, 0};
    CHECK(parse_event_id("1.000:4294967295") == last);
    CHECK(parse_event_id("1.000:0") == next);
    CHECK(last != next);
}

TEST_CASE("a text that is not wholly an id is none") {
    for (const auto* text : {"", "1", "1.000", "1:5", "1.00:5", "1.0000:5", "1.000:", ".000:5", "1.abc:5", "1.000:5 ",
                             " 1.000:5", "1.000:5x", "-1.000:5", "1.000:-5", "1.000:18446744073709551616",
                             "999999999999.000:5", "05/15/2019 16:28:38.510:1684"}) {
        CAPTURE(text);
        CHECK(parse_event_id(text) == std::nullopt);
    }
}

TEST_CASE("ids are ordered by time first, by serial then") {
    CHECK(EventId{1, 9} < EventId{2, 1});
    CHECK(EventId{1, 1} < EventId{1, 2});
    std::set<std::size_t> hashes;
    for (std::uint64_t serial = 0; serial < 1000; ++serial) {
        hashes.insert(std::hash<EventId>{}({1000, serial}));
        hashes.insert(std::hash<EventId>{}({static_cast<std::int64_t>(2000 + serial), 1}));
    }
    CHECK(hashes.size() == 2000);
}

TEST_CASE("a record type is known by name and by number") {
    const std::vector<std::pair<std::string_view, RecordType>> cases = {
        {"SYSCALL", 1300},       {"1300", 1300}, {"UNKNOWN[1300]", 1300}, {"EXECVE", 1309}, {"1309", 1309},
        {"UNKNOWN[1420]", 1420}, {"PATH", 1302}, {"CWD", 1307},           {"EOE", 1320},    {"PROCTITLE", 1327},
        {"LOGIN", 1006},         {"AVC", 1400},  {"DAEMON_START", 1200},  {"65535", 65535}, {"SYSTEM_BOOT", 1127},
    };
    for (const auto& [name, type] : cases) {
        CAPTURE(name);
        CHECK(record_type_from_name(name) == type);
    }
}

TEST_CASE("a type that nobody knows is 0") {
    for (const auto* name : {"", "syscall", "SYSCALLS", "NOT_A_TYPE", "UNKNOWN[]", "UNKNOWN[x]", "UNKNOWN[1300",
                             "UNKNOWN[1300]]", "-1", "65536", "1300 ", "13OO"}) {
        CAPTURE(name);
        CHECK(record_type_from_name(name) == 0);
    }
}

TEST_CASE("every type's name leads back to its number") {
    CHECK(record_type_name(1300) == "SYSCALL");
    CHECK(record_type_name(9999) == "UNKNOWN[9999]");
    for (RecordType type = 1; type < 4000; ++type) {
        CAPTURE(type);
        CHECK(record_type_from_name(record_type_name(type)) == type);
    }
}
