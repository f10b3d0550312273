// Bounds: what goes first when there are too many, and that any history keeps the table whole.
#include <random>

#include "host/process_log.hpp"
#include "support/catch.hpp"

namespace process_table_bounds_test {

using namespace process_log;

TEST_CASE("a process that execs itself for ever keeps its first image and little else") {
    Log log(100);
    const ProcessRef shell = log.exec(10, 1, "/bin/sh");
    log.fork(10, 1, "/bin/sh", 20);
    log.exec(20, 10, "/first");
    for (int i = 0; i < 10'000; ++i) {
        log.exec(20, 10, "/again");
    }
    CHECK(log.table.size() <= 10);
    CHECK(log.table.is_ancestor(shell, log.table.current(20)));
    CHECK(log.table.ancestors(log.table.current(20), 100).back()->exe == "/bin/sh");
    CHECK(log.table.evicted() == 0);
}

TEST_CASE("execs of a long chain that come late, in any order, leave the table whole") {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        Log log(100);
        log.exec(20, 1, "/first");
        std::vector<TypedEvent> late;
        for (int i = 0; i < 30; ++i) {
            late.push_back(log.at(20, 1, "/late"));
        }
        log.exec(20, 1, "/newest");
        const ProcessRef newest = log.table.current(20);
        std::shuffle(late.begin(), late.end(), std::mt19937(seed));
        for (const TypedEvent& event : late) {
            const ProcessRef made = log.exec(event, {std::string(300, 'x')}); // on the heap: what is gone is noticed
            const Process* image = log.table.find(made);
            CHECK((!made || (image != nullptr && image->created == event.id)));
        }
        CHECK(log.table.current(20) == newest);
        CHECK(log.table.size() <= 10);
    }
}

TEST_CASE("circles of parents end") {
    Log log;
    const TypedEvent a_forks = log.at(10, 20, "/bin/a");
    const TypedEvent b_forks = log.at(20, 10, "/bin/b");
    log.exec(10, 20, "/bin/a");
    log.exec(20, 10, "/bin/b");
    log.table.forked(a_forks, 20);
    log.table.forked(b_forks, 10);
    log.see(10, 10, "/bin/self");
    for (const std::uint32_t pid : {10U, 20U}) {
        CHECK(log.table.ancestors(log.table.current(pid), 1000).size() < 1000);
    }
    CHECK_FALSE(log.table.is_ancestor(log.table.current(20), log.table.current(20)));
}

TEST_CASE("ended leaves go first, then what was never seen, then ended ancestors, then the least recently seen") {
    Log log(8);
    log.fork(10, 1, "/bin/old", 11); // 10 live, 11 unseen
    log.exec(20, 1, "/bin/parent");  // ends, with a living child
    log.exec(21, 20, "/bin/child");
    log.exit(20, 1, "/bin/parent");
    log.exec(30, 1, "/bin/leaf");
    log.exit(30, 1, "/bin/leaf");
    log.exec(40, 1, "/bin/a");
    log.exec(41, 1, "/bin/b");
    const ProcessRef child = log.table.current(21);
    REQUIRE(log.table.size() == 7);

    std::uint32_t pid = 100;
    const auto crowd = [&] { log.exec(++pid, 1, "/bin/x"); };
    crowd();
    CHECK(log.line(11U) == "11:/bin/old 10:/bin/old");
    crowd(); // the leaf goes
    CHECK(log.line(11U) == "11:/bin/old 10:/bin/old");
    crowd(); // the unseen one
    CHECK(log.line(11U) == "gone");
    CHECK(log.line(child) == "21:/bin/child 20:/bin/parent");
    CHECK(log.table.evicted() == 0);
    crowd(); // the ancestor
    CHECK(log.line(child) == "21:/bin/child cut");
    CHECK(log.line(10U) == "10:/bin/old");
    CHECK(log.table.evicted() == 0);
    crowd();
    CHECK(log.line(10U) == "gone");
    CHECK(log.table.evicted() == 1);
    CHECK(log.table.size() == 8);
}

TEST_CASE("threads do not crowd the table") {
    Log log(100);
    const ProcessRef java = log.exec(10, 1, "/bin/java");
    const ProcessRef other = log.exec(11, 1, "/bin/other");
    for (std::uint32_t tid = 1000; tid < 50'000; ++tid) {
        log.fork(10, 1, "/bin/java", tid);
    }
    CHECK(log.table.find(java) != nullptr);
    CHECK(log.table.find(other) != nullptr);
    CHECK(log.table.size() <= 100);
    CHECK(log.table.evicted() == 0);
}

TEST_CASE("long arguments are bounded one by one") {
    Log log(200);
    const std::vector<std::string> argv(1000, std::string(5000, 'x'));
    for (std::uint32_t pid = 1; pid < 5000; ++pid) {
        const ProcessRef ref = log.exec(log.at(pid, 1, "/bin/x"), argv);
        REQUIRE(log.table.find(ref)->argv == std::vector<std::string>(32, std::string(256, 'x')));
        REQUIRE(log.table.memory() <= 200 * 12 * 1024);
    }
}

TEST_CASE("a reference to an evicted image stays empty, whoever gets its place") {
    Log log(8);
    const ProcessRef first = log.exec(10, 1, "/bin/x");
    for (std::uint32_t pid = 20; pid < 100; ++pid) {
        log.exec(pid, 1, "/bin/y");
        if (log.table.find(first) != nullptr) {
            REQUIRE(log.table.find(first)->pid == 10);
        }
    }
    CHECK(log.table.find(first) == nullptr);
    CHECK(log.table.ancestors(first, 5).empty());
}

TEST_CASE("orderly histories are told like a naive model tells them") {
    // The model: a process is {alive, the exes of its ancestors}. Everything is logged, and in order.
    struct Model {
        bool alive = false;
        std::uint32_t ppid = 1;
        std::vector<std::string> line; // itself first
        int execs = 0;                 // few: the images of one process are bounded
    };
    std::mt19937 random(GENERATE(1U, 2U, 3U));
    Log log(100'000);
    std::vector<Model> processes(200);
    processes[2] = {true, 1, {"/exe/first"}, 0};
    log.exec(2, 1, "/exe/first");
    for (int i = 0; i < 20'000; ++i) {
        const auto pid = static_cast<std::uint32_t>(2 + random() % 198);
        Model& process = processes[pid];
        if (!process.alive) {
            continue;
        }
        const std::string exe = process.line.front();
        const auto action = random() % 10;
        if (action < 6) {
            const auto child = static_cast<std::uint32_t>(2 + random() % 198);
            if (!processes[child].alive && process.line.size() < 12) {
                log.fork(pid, process.ppid, exe, child);
                processes[child] = {true, pid, process.line, 0};
                processes[child].line.insert(processes[child].line.begin(), exe);
            }
        } else if (action < 8) {
            const std::string next = "/exe/" + std::to_string(i);
            if (process.execs++ < 6) {
                const bool execed = log.table.find(pid)->born == Born::exec;
                log.exec(pid, process.ppid, next);
                if (!execed) {
                    process.line.erase(process.line.begin()); // the copy of the parent's image says nothing
                }
                process.line.insert(process.line.begin(), next);
            }
        } else if (pid != 2) {
            log.exit(pid, process.ppid, exe);
            process.alive = false;
            for (Model& child : processes) {
                child.ppid = child.ppid == pid ? 1 : child.ppid;
            }
        }
        const Process* known = log.table.find(pid);
        REQUIRE((known != nullptr) == process.alive);
        if (known != nullptr) {
            std::vector<std::string> line = {known->exe.value()};
            for (const Process* ancestor : log.table.ancestors(log.table.current(pid), 100)) {
                line.push_back(ancestor->exe.value());
            }
            REQUIRE(line == process.line);
        }
    }
}

TEST_CASE("disorderly histories keep the table whole and bounded") {
    std::mt19937 random(GENERATE(11U, 12U));
    Log log(64);
    for (int i = 0; i < 50'000; ++i) {
        const auto pid = static_cast<std::uint32_t>(random() % 100);
        const auto other = static_cast<std::uint32_t>(random() % 100);
        const std::string exe = "/exe/" + std::to_string(random() % 5);
        log.ms += static_cast<std::int64_t>(random() % 3) - 1; // back and forth
        log.serial -= random() % 3;
        switch (random() % 4) {
        case 0:
            log.fork(pid, other, exe, static_cast<std::uint32_t>(random() % 100));
            break;
        case 1:
            log.exec(pid, other, exe);
            break;
        case 2:
            log.exit(pid, other, exe);
            break;
        default:
            log.see(pid, other, exe);
        }
        REQUIRE(log.table.size() <= 64);
        const ProcessRef now = log.table.current(pid);
        REQUIRE(log.table.ancestors(now, 5000).size() < 2000);
        log.table.same_tree(now, log.table.current(other));
        if (const Process* process = log.table.find(now)) {
            REQUIRE(process->pid == pid);
            REQUIRE_FALSE(process->exited);
        }
    }
}

TEST_CASE("one deep tree for ever keeps the table bounded and its newest image known") {
    constexpr std::size_t capacity = 4096;
    Log log(capacity);
    for (std::uint32_t i = 1; i <= 100'000; ++i) {
        log.fork(i, i - 1, "/bin/nest", i + 1);
        log.exec(i + 1, i, "/bin/nest");
    }
    CHECK(log.table.size() <= capacity);
    CHECK(log.table.find(100'001) != nullptr);
}

} // namespace process_table_bounds_test
