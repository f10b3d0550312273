#include "luatrail/audit/serial_gaps.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "support/catch.hpp"

using luatrail::audit::SerialGaps;

namespace {

// One kernel's: the later the number, the later the event.
void saw(SerialGaps& gaps, std::uint64_t serial) {
    gaps.saw(serial, static_cast<std::int64_t>(serial % 1'000'000'000));
}

void settle_all(SerialGaps& gaps) {
    for (int turn = 0; turn < 64; ++turn) {
        gaps.settle();
    }
}

std::uint64_t lost_of(const std::vector<std::uint64_t>& serials) {
    SerialGaps gaps;
    for (const auto serial : serials) {
        saw(gaps, serial);
    }
    settle_all(gaps);
    return gaps.lost();
}

} // namespace

TEST_CASE("numbers that come in order or a little out of it leave no gap") {
    CHECK(lost_of({}) == 0);
    CHECK(lost_of({7}) == 0);
    CHECK(lost_of({7, 7, 7, 8, 9}) == 0);
    CHECK(lost_of({7, 9, 8, 10}) == 0);
    CHECK(lost_of({10, 14, 12, 13, 11, 11, 15}) == 0);
    CHECK(lost_of({10, 9, 8, 11}) == 0); // what lay before the first one is nobody's loss
}

TEST_CASE("numbers that stay away are counted once") {
    CHECK(lost_of({7, 9}) == 1);
    CHECK(lost_of({1, 1001}) == 999);
    CHECK(lost_of({10, 20, 15}) == 8);
    CHECK(lost_of({10, 20, 11, 19, 15, 30}) == 6 + 9);
}

TEST_CASE("a number has five turns to come late") {
    SerialGaps gaps;
    saw(gaps, 1);
    saw(gaps, 3);
    CHECK(gaps.settle() == 0);
    saw(gaps, 5);
    for (int turn = 0; turn < 4; ++turn) {
        CHECK(gaps.settle() == 0);
    }
    saw(gaps, 2);
    CHECK(gaps.settle() == 0);
    CHECK(gaps.settle() == 1); // 4
    saw(gaps, 4);
    CHECK(gaps.settle() == 0);
    CHECK(gaps.lost() == 1);
}

TEST_CASE("another kernel's numbers begin anew") {
    CHECK(lost_of({100, 50'000'000, 50'000'001}) == 0);
    CHECK(lost_of({50'000'000, 3, 4, 6}) == 1);
    CHECK(lost_of({UINT64_MAX, 0, UINT64_MAX - 1}) == 0);
}

TEST_CASE("gaps without end are counted and take no more room") {
    SerialGaps gaps;
    for (std::uint64_t serial = 0; serial < 200'000; serial += 2) {
        saw(gaps, serial);
    }
    settle_all(gaps);
    CHECK(gaps.lost() == 99'999);
}

TEST_CASE("a shuffle within a turn loses what was left out and nothing else") {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        std::vector<std::uint64_t> serials;
        std::uint64_t left_out = 0;
        for (std::uint64_t serial = 1000; serial < 1400; ++serial) {
            if (serial > 1000 && serial < 1399 && random() % 10 == 0) {
                ++left_out;
            } else {
                serials.push_back(serial);
            }
        }
        std::shuffle(serials.begin() + 1, serials.end() - 1, random);
        CHECK(lost_of(serials) == left_out);
    }
}

TEST_CASE("the numbers of several kernels in one stream are no losses") {
    SerialGaps gaps; // a host to which two others send, without names: one event a turn
    for (std::uint64_t turn = 0; turn < 200; ++turn) {
        const auto now = static_cast<std::int64_t>(1000 * turn);
        gaps.saw(700'000 + turn, now);
        gaps.saw(1200 + turn, now + 10);
        gaps.saw(350'000 + 40 * turn, now + 20);
        gaps.settle();
    }
    CHECK(gaps.several());
    CHECK(gaps.lost() == 0);

    SerialGaps one; // late by many numbers, and by their time
    for (std::uint64_t serial = 1; serial < 20'000; serial += 2000) {
        for (std::uint64_t at = 1000; at < 2000; ++at) {
            saw(one, serial + at);
        }
        for (std::uint64_t at = 0; at < 999; ++at) {
            saw(one, serial + at);
        }
    }
    settle_all(one);
    CHECK(!one.several());
    CHECK(one.lost() == 9);
}

TEST_CASE("a wide gap in one kernel's numbers is told after a minute's turns") {
    SerialGaps gaps;
    saw(gaps, 1);
    saw(gaps, 50'000);
    for (int turn = 0; turn < 60; ++turn) {
        saw(gaps, static_cast<std::uint64_t>(50'001 + turn));
        CHECK(gaps.settle() == 0);
    }
    settle_all(gaps);
    CHECK(gaps.lost() == 49'998);
}
