// Bounds: what is forgotten when, and that any history keeps the ledger whole.
#include <algorithm>
#include <map>
#include <random>

#include "host/ledger_log.hpp"
#include "support/catch.hpp"

namespace file_ledger_bounds_test {

using namespace ledger_log;

TEST_CASE("what is older than the horizon is forgotten") {
    Log log;
    log.make("a", 100);
    log.make("b", 101);
    log.make("c", 102);
    log.unlink("b", 101);
    log.apply(Call::chmod, {normal("a", 100)});
    const std::int64_t now = log.ms;
    log.ledger.expire(now - 3000);
    CHECK(log.tell(102) == "unknown");
    CHECK(log.tell(101) != "unknown");
    CHECK(log.tell("/tmp/a") == "create /tmp/a, chmod /tmp/a | /tmp/a");
    log.ledger.expire(now + 1);
    CHECK(log.ledger.size() == 0);
    CHECK(log.tell("/tmp/a") == "unknown");
    CHECK(log.ledger.evicted() == 0);
    CHECK(log.ledger.evicted_until_ms() == 0);
}

TEST_CASE("throw-away files do not push out what exists") {
    Log log(200'000);
    log.make("dropped.lua", 100);
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        log.make("junk", 1000 + i);
        log.unlink("junk", 1000 + i);
    }
    CHECK(log.tell("/tmp/dropped.lua") == "create /tmp/dropped.lua | /tmp/dropped.lua");
    CHECK(log.ledger.evicted() > 0);
    CHECK(log.ledger.evicted_until_ms() == 0);
}

TEST_CASE("beyond the capacity the oldest changes go first, and are counted") {
    Log log(200'000);
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        log.make("file" + std::to_string(i), 1000 + i);
        REQUIRE(log.ledger.memory() <= 200'000);
    }
    const std::size_t kept = log.ledger.size();
    CHECK(kept > 200);
    CHECK(log.ledger.evicted() == 10'000 - kept);
    CHECK(log.ledger.evicted_until_ms() == log.ms - static_cast<std::int64_t>(kept) * 2000);
    CHECK(log.tell("/tmp/file9999") != "unknown");
    CHECK(log.tell("/tmp/file0") == "unknown");
}

TEST_CASE("hostile names stay within the capacity") {
    Log log(500'000);
    std::string deep;
    for (int i = 0; i < 2000; ++i) {
        deep += "/d";
    }
    for (std::uint64_t i = 0; i < 100; ++i) {
        const std::string number = std::to_string(i);
        log.make(deep + number, 1000 + i);
        log.make("/" + std::string(100'000, 'n') + number, 2000 + i);
        log.mkdir(deep + "m" + number, 3000 + i);
        log.symlink(std::string(100'000, 't'), "s" + number, 4000 + i);
        log.apply(Call::open, {parent(deep + number + "/", 5000 + i), create("x" + number, 6000 + i)});
        REQUIRE(log.ledger.memory() <= 500'000);
    }
    CHECK(log.ledger.size() > 0);
}

TEST_CASE("directories leave room for files") {
    Log log(300'000);
    for (std::uint64_t i = 0; i < 300; ++i) {
        log.make("file" + std::to_string(i), 100'000 + i);
    }
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        log.mkdir("dir" + std::to_string(i), 1000 + i);
        REQUIRE(log.ledger.memory() <= 300'000);
    }
    CHECK(log.tell("/tmp/file0") == "create /tmp/file0 | /tmp/file0");
    CHECK(log.ledger.resolve("x", {}, inode(1000 + 19'999), false).path == "/tmp/dir19999/x");
}

TEST_CASE("histories are told like a naive model tells them") {
    // The model: names in a flat directory lead to inodes; an inode has kinds of change and is born anew by a create.
    std::mt19937 random(GENERATE(1U, 2U, 3U));
    Log log(1 << 24);
    std::map<std::string, std::uint64_t> names;
    std::map<std::uint64_t, std::vector<ChangeKind>> changes;
    const auto links = [&](std::uint64_t number) {
        return std::count_if(names.begin(), names.end(), [&](const auto& entry) { return entry.second == number; });
    };
    for (int i = 0; i < 5000; ++i) {
        const std::string a = std::string(1, static_cast<char>('a' + random() % 12));
        const std::string b = std::string(1, static_cast<char>('a' + random() % 12));
        const bool has_a = names.count(a) != 0, has_b = names.count(b) != 0;
        const auto action = random() % 5;
        if (action == 0 && !has_a) {
            std::uint64_t number = 100 + random() % 30;
            while (links(number) != 0) {
                number = 100 + random() % 30;
            }
            log.make(a, number);
            names[a] = number;
            changes[number] = {ChangeKind::create};
        } else if (action == 1 && has_a && a != b && (!has_b || names[a] != names[b])) {
            std::vector<PathItem> items = {parent("/tmp", 2), parent("/tmp", 2), remove(a, names[a])};
            if (has_b) {
                items.push_back(remove(b, names[b]));
                changes[names[b]].push_back(ChangeKind::unlink);
            }
            items.push_back(create(b, names[a]));
            log.apply(Call::rename, items);
            changes[names[a]].push_back(ChangeKind::rename);
            names[b] = names[a];
            names.erase(a);
        } else if (action == 2 && has_a && !has_b && links(names[a]) < 8) {
            log.link(a, b, names[a]);
            names[b] = names[a];
            changes[names[a]].push_back(ChangeKind::link);
        } else if (action == 3 && has_a) {
            log.unlink(a, names[a]);
            changes[names[a]].push_back(ChangeKind::unlink);
            names.erase(a);
        } else if (action == 4 && has_a) {
            log.write(a, names[a]);
            changes[names[a]].push_back(ChangeKind::write);
        }
        for (const auto& [number, kinds] : changes) {
            const File* file = log.ledger.find(inode(number));
            REQUIRE(file != nullptr);
            REQUIRE(file->paths.size() == static_cast<std::size_t>(links(number)));
            REQUIRE(file->deleted == file->paths.empty());
            REQUIRE(file->changes.size() == std::min<std::size_t>(kinds.size(), 16));
            REQUIRE(file->changes.back().kind == kinds.back());
            REQUIRE(file->changes.front().kind == kinds.front());
        }
        for (const auto& [name, number] : names) {
            const File* file = log.ledger.find("/tmp/" + name);
            REQUIRE(file != nullptr);
            REQUIRE(file->id.inode == number);
        }
    }
}

TEST_CASE("disorderly histories keep the ledger whole and bounded") {
    std::mt19937 random(GENERATE(21U, 22U, 23U));
    Log log(60'000);
    const char* const names[] = {"a", "b", "d/a", "d/e/a", "/x/d", "/x", "..", ".", "/", "", "d/", "/tmp/d/e"};
    const char* const cwds[] = {"/tmp", "/", "/x/d", "(null)"};
    for (int i = 0; i < 60'000; ++i) {
        std::vector<PathItem> items;
        for (std::size_t n = random() % 6; n > 0; --n) {
            items.push_back(item(static_cast<NameType>(random() % 5), names[random() % 12],
                                 inode(1 + random() % 40, 1 + random() % 2),
                                 random() % 3 == 0 ? directory : (random() % 4 == 0 ? link_mode : regular)));
        }
        FileEvent e = log.event(static_cast<Call>(random() % 11), items);
        e.typed.cwd = cwds[random() % 4];
        e.view.at_cwd = random() % 2 == 0;
        e.view.at_cwd_second = random() % 2 == 0;
        e.view.writes = random() % 2 == 0;
        log.apply(e);
        log.ledger.observe(e.typed);
        while (!log.budget.within() && log.ledger.give_way()) {
        }
        if (random() % 100 == 0) {
            log.ledger.expire(log.ms - 50'000);
        }
        REQUIRE(log.ledger.memory() <= 60'000);
        if (const File* file = log.ledger.find(std::string("/tmp/") + names[random() % 12])) {
            REQUIRE(file->paths.size() <= 8);
        }
    }
    log.ledger.expire(log.ms + 1);
    CHECK(log.ledger.size() == 0);
}

TEST_CASE("throw-away files for ever: memory stays below the capacity") {
    Log log(4 << 20);
    for (std::uint64_t i = 1000; i < 130'000; ++i) { // many times what fits
        const std::string name = "junk" + std::to_string(i);
        log.make(name, i);
        if (i % 2 == 0) {
            log.unlink(name, i);
        }
        REQUIRE(log.ledger.memory() <= 4 << 20);
    }
}

} // namespace file_ledger_bounds_test
