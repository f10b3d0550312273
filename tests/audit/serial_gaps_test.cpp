#include "luatrail/audit/serial_gaps.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "support/catch.hpp"

using luatrail::audit::SerialGaps;

namespace {

void settle_all(SerialGaps& gaps) {
    gaps.settle();
    gaps.settle();
    gaps.settle();
}

std::uint64_t lost_of(const std::vector<std::uint64_t>& serials) {
    SerialGaps gaps;
    for (const auto serial : serials) {
        gaps.saw(serial);
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

TEST_CASE("a number has two turns to come late") {
    SerialGaps gaps;
    gaps.saw(1);
    gaps.saw(3);
    CHECK(gaps.settle() == 0);
    gaps.saw(5);
    CHECK(gaps.settle() == 0);
    gaps.saw(2);
    CHECK(gaps.settle() == 0);
    CHECK(gaps.settle() == 1); // 4
    gaps.saw(4);
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
        gaps.saw(serial);
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
