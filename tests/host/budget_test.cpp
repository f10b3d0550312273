// What the tables charge is what they take, whatever floods them, and what is let go is given back.
#include <functional>

#include "host/ledger_log.hpp"
#include "host/process_log.hpp"
#include "support/catch.hpp"
#include "support/counted_heap.hpp"

namespace budget_test {

using namespace luatrail;

namespace {

struct Flood {
    const char* name;
    std::function<void(ledger_log::Log&, std::uint64_t)> event;
};

std::string number(std::uint64_t i) {
    return std::to_string(i);
}

const Flood file_floods[] = {
    {"small names", [](auto& log, auto i) { log.make("f" + number(i), 1000 + i); }},
    {"long names", [](auto& log, auto i) { log.make(number(i) + std::string(250, 'n'), 1000 + i); }},
    {"the longest paths",
     [](auto& log, auto i) {
         log.apply(ledger_log::Call::open,
                   {ledger_log::create("/" + number(i) + std::string(4000, 'n') + "/x", 1000 + i)});
     }},
    {"deep paths",
     [](auto& log, auto i) {
         std::string deep = "/" + number(i);
         for (int level = 0; level < 500; ++level) {
             deep += "/d";
         }
         log.apply(ledger_log::Call::open, {ledger_log::create(deep, 1000 + i)});
     }},
    {"directories", [](auto& log, auto i) { log.mkdir("d" + number(i), 1000 + i); }},
    {"directories by many names",
     [](auto& log, auto i) {
         log.apply(ledger_log::Call::open,
                   {ledger_log::parent("/d" + number(i) + "/", 1000 + i / 8), ledger_log::create("x", 500'000 + i)});
     }},
    {"a file with many links",
     [](auto& log, auto i) {
         if (i == 0) {
             log.make("first", 1000);
         }
         log.link("first", "link" + number(i), 1000);
     }},
    {"symlinks", [](auto& log, auto i) { log.symlink(std::string(i % 3000, 't'), "s" + number(i), 1000 + i); }},
    {"files that are deleted",
     [](auto& log, auto i) {
         log.make("junk" + number(i), 1000 + i);
         log.unlink("junk" + number(i), 1000 + i);
     }},
    {"many changes of few files", [](auto& log, auto i) { log.write("w" + number(i % 50), 1000 + i % 50); }},
    {"files that are looked up",
     [](auto& log, auto i) {
         log.ledger.find(ledger_log::inode(999 + i));
         log.make("a name that does not fit into a string " + number(i), 1000 + i);
     }},
};

using process_log::ProcessTable;

struct ProcessFlood {
    const char* name;
    std::function<void(process_log::Log&, std::uint32_t)> event;
};

const ProcessFlood process_floods[] = {
    {"processes", [](auto& log, auto i) { log.exec(100 + i, 1, "/bin/x"); }},
    {"long arguments",
     [](auto& log, auto i) {
         log.exec(log.at(100 + i, 1, "/bin/x"), std::vector<std::string>(1000, std::string(300, 'x')));
     }},
    {"long programs", [](auto& log, auto i) { log.exec(100 + i, 1, "/" + std::string(4000, 'x')); }},
    {"forks", [](auto& log, auto i) { log.fork(100 + i, 99 + i, "/bin/a-nest-of-processes", 101 + i); }},
    {"processes that end",
     [](auto& log, auto i) {
         log.exec(100 + i, 1, "/bin/x");
         log.exit(100 + i, 1, "/bin/x");
     }},
    {"one process that execs", [](auto& log, auto i) { log.exec(100, 1, "/bin/program" + number(i)); }},
};

constexpr std::size_t bound = 2UL << 20U;

// What was charged by what was allocated since `before`.
double accuracy(const base::Budget& budget, std::size_t before) {
    return static_cast<double>(budget.used()) / static_cast<double>(heap_bytes - before);
}

} // namespace

TEST_CASE("the ledger charges what it takes, filling and full, and gives it back") {
    for (const auto& flood : file_floods) {
        INFO(flood.name);
        const std::size_t before = heap_bytes;
        {
            ledger_log::Log log(bound);
            for (std::uint64_t i = 0; i < 4000; ++i) {
                flood.event(log, i);
                REQUIRE(log.budget.within());
                REQUIRE(log.budget.used() == log.ledger.memory());
                if (i > 10) {
                    const double charged = accuracy(log.budget, before);
                    REQUIRE(charged > 0.8);
                    REQUIRE(charged < 1.25);
                }
            }
            const std::size_t full = log.budget.used();
            while (log.ledger.give_way()) {
            }
            CHECK(log.ledger.size() == 0);
            CHECK(log.budget.used() < 16'000);
            CHECK(heap_bytes - before < 16'000);
            CHECK(full > log.budget.used());
        }
        CHECK(heap_bytes == before);
    }
}

TEST_CASE("the process table charges what it takes, filling and full, and gives it back") {
    for (const auto& flood : process_floods) {
        INFO(flood.name);
        const std::size_t before = heap_bytes;
        {
            process_log::Log log(SIZE_MAX, bound);
            for (std::uint32_t i = 0; i < 8000; ++i) {
                flood.event(log, i);
                REQUIRE(log.budget.within());
                REQUIRE(log.budget.used() == log.table.memory());
                if (i > 10) {
                    const double charged = accuracy(log.budget, before);
                    REQUIRE(charged > 0.8);
                    REQUIRE(charged < 1.25);
                }
            }
            const std::size_t full = log.budget.used();
            while (log.table.give_way()) {
            }
            CHECK(log.table.size() == 0);
            CHECK(log.budget.used() < 16'000);
            CHECK(heap_bytes - before < 16'000);
            CHECK(full > log.budget.used());
        }
        CHECK(heap_bytes == before);
    }
}

TEST_CASE("tables that share a budget are within it together") {
    base::Budget budget(bound);
    std::vector<host::FileLedger> ledgers;
    std::vector<host::ProcessTable> tables;
    for (int i = 0; i < 5; ++i) {
        ledgers.emplace_back(budget);
        tables.emplace_back(budget);
    }
    std::size_t sum = 0;
    for (int i = 0; i < 5; ++i) {
        sum += ledgers[static_cast<std::size_t>(i)].memory() + tables[static_cast<std::size_t>(i)].memory();
    }
    CHECK(budget.used() == sum);
    ledgers.clear();
    tables.clear();
    CHECK(budget.used() == 0);
}

} // namespace budget_test
