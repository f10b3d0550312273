#include "luatrail/base/budget.hpp"

#include <list>
#include <map>

#include "support/catch.hpp"
#include "support/counted_heap.hpp"

using namespace luatrail;
using base::Budget;
using base::Charge;

TEST_CASE("what is charged to a part is charged to the whole") {
    Budget whole(1000);
    Budget part(whole, 600);
    Budget other(whole, 400);
    part.charge(700);
    other.charge(100);
    CHECK(part.used() == 700);
    CHECK_FALSE(part.within());
    CHECK(other.within());
    CHECK(whole.used() == 800);
    CHECK(whole.within());
    part.change(700, 50);
    CHECK(part.used() == 50);
    CHECK(whole.used() == 150);
    part.release(50);
    other.release(100);
    CHECK(whole.used() == 0);
}

TEST_CASE("a charge follows its holder's size and ends with it") {
    Budget budget(100);
    {
        Charge charge(budget, 10);
        CHECK(budget.used() == 10);
        charge.resize(70);
        charge.resize(40);
        CHECK(charge.bytes() == 40);
        CHECK(budget.used() == 40);
        Charge moved = std::move(charge);
        CHECK(budget.used() == 40);
        Charge other(budget, 5);
        other = std::move(moved); // what it held is released
        CHECK(budget.used() == 40);
        CHECK(other.bytes() == 40);
        other = Charge();
        CHECK(budget.used() == 0);
        other.resize(8); // of no budget
        CHECK(budget.used() == 0);
        other = Charge(budget, 3);
    }
    CHECK(budget.used() == 0);
}

namespace {

// malloc gives 16 bytes more where the rest of a block would be too small for another.
bool about(std::size_t said, std::size_t taken) {
    return said <= taken && taken <= said + said / 20 + 16;
}

// What `make` allocated, and what it says that it did.
template <class Make>
void check_size(Make make) {
    const auto before = heap_bytes;
    const auto value = make();
    const auto taken = heap_bytes - before;
    const auto said = base::heap_of(value);
    CHECK(about(said, taken));
}

} // namespace

TEST_CASE("a value's heap is what it takes") {
    for (std::size_t size = 0; size < 200; ++size) {
        check_size([&] { return std::string(size, 'x'); });
        check_size([&] { return std::optional(std::string(size, 'x')); });
        check_size([&] { return std::vector<std::uint32_t>(size); });
        check_size([&] { return std::vector<std::string>(size, std::string(size, 'x')); });
    }
    check_size([] { return std::optional<std::string>(); });
    check_size([] { return std::vector<std::vector<std::string>>(3, {"short", std::string(100, 'x')}); });
    check_size([] {
        std::vector<std::string> grown; // with room to grow
        for (int i = 0; i < 100; ++i) {
            grown.emplace_back(40, 'x');
        }
        return grown;
    });
}

TEST_CASE("containers of nodes take what their nodes do") {
    struct Value {
        char bytes[40];
    };
    struct Key {
        std::uint64_t number;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept { return key.number; }
    };
    constexpr std::size_t count = 1000;
    const auto before = heap_bytes;
    {
        std::list<Value> list(count);
        const auto taken = heap_bytes - before;
        CHECK(about(count * base::list_node<Value>(), taken));
    }
    {
        std::map<std::uint64_t, Value> map;
        for (std::size_t i = 0; i < count; ++i) {
            map[i];
        }
        const auto taken = heap_bytes - before;
        CHECK(about(count * base::map_node<std::uint64_t, Value>(), taken));
    }
    {
        std::unordered_map<Key, Value, Hash> table;
        for (std::size_t i = 0; i < count; ++i) {
            table[{i}];
        }
        const auto taken = heap_bytes - before;
        CHECK(about(count * base::hash_node<Key, Value>() + base::hash_buckets(table), taken));
    }
    {
        std::unordered_map<std::string, Value> table;
        for (std::size_t i = 0; i < count; ++i) {
            table[std::to_string(i)]; // in place
        }
        const auto taken = heap_bytes - before;
        CHECK(about(count * base::hash_node<std::string, Value>(true) + base::hash_buckets(table), taken));
    }
}

TEST_CASE("a deque takes its blocks, about") {
    for (const std::size_t count : {0U, 1U, 10U, 1000U, 100'000U}) {
        const auto before = heap_bytes;
        const std::deque<std::string> values(count, std::string(50, 'x'));
        const auto taken = static_cast<double>(heap_bytes - before);
        const auto said = static_cast<double>(base::heap_of(values));
        CHECK(said >= 0.8 * taken);
        CHECK(said <= 1.25 * taken);
    }
}
