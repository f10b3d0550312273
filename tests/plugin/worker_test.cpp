#include "plugin/worker.hpp"

#include <atomic>
#include <thread>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using luatrail::plugin::Worker;

TEST_CASE("a worker takes one job after the other") {
    Worker worker;
    std::atomic<int> done = 0;
    for (int round = 1; round <= 100; ++round) {
        REQUIRE(worker.start([&done] { ++done; }));
        REQUIRE(worker.wait(10s));
        REQUIRE(done == round);
        REQUIRE(!worker.busy());
    }
}

TEST_CASE("a job that is stuck is waited for only so long, and no second one is begun") {
    const auto go_on = std::make_shared<std::atomic<bool>>(false);
    Worker worker;
    REQUIRE(worker.start([go_on] {
        while (!*go_on) {
            std::this_thread::sleep_for(1ms);
        }
    }));
    CHECK(!worker.wait(5ms));
    CHECK(worker.busy());
    CHECK(!worker.start([] {}));
    *go_on = true;
    CHECK(worker.wait(10s));
    CHECK(worker.start([] {}));
}

TEST_CASE("what a job owns is gone when it has ended") {
    Worker worker;
    auto owned = std::make_shared<int>(1);
    REQUIRE(worker.start([owned] {}));
    REQUIRE(worker.wait(10s));
    CHECK(owned.use_count() == 1);
}

TEST_CASE("a worker that never had a job ends at once") {
    for (int round = 0; round < 20; ++round) {
        const Worker worker;
    }
}
