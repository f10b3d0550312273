// Files: what is known of one by its inode and its names.
#include "host/ledger_log.hpp"
#include "support/catch.hpp"

namespace file_ledger_test {

using namespace ledger_log;

TEST_CASE("a created file is found by its inode and by its path") {
    Log log;
    log.make("a.lua", 100);
    CHECK(log.tell(100) == "create /tmp/a.lua | /tmp/a.lua");
    CHECK(log.tell("/tmp/a.lua") == "create /tmp/a.lua | /tmp/a.lua");
    CHECK(log.tell("/tmp/./x/../a.lua") == "create /tmp/a.lua | /tmp/a.lua");
    CHECK(log.tell("/tmp") == "unknown");
    CHECK(log.tell("a.lua") == "unknown");
    CHECK(log.ledger.size() == 1);
}

TEST_CASE("a change says who made it") {
    Log log;
    FileEvent e = log.event(Call::open, {parent("/tmp", 2), create("a", 100)});
    e.view.by = {7, 1};
    e.typed.syscall.exe = "/bin/cp";
    e.typed.syscall.uid = 33;
    log.apply(e);
    const Change& change = log.ledger.find(inode(100))->changes.at(0);
    CHECK(change.event == e.typed.id);
    CHECK(change.by == e.view.by);
    CHECK(change.by_pid == 10);
    CHECK(change.by_exe == "/bin/cp");
    CHECK(change.by_uid == 33);
}

TEST_CASE("a rename keeps the history and moves the name") {
    Log log;
    log.make("a", 100);
    log.rename("a", "b", 100);
    CHECK(log.tell(100) == "create /tmp/a, rename /tmp/b | /tmp/b");
    CHECK(log.tell("/tmp/a") == "unknown");
    CHECK(log.tell("/tmp/b") == log.tell(100));
}

TEST_CASE("a rename of a file that was there before is its first change") {
    Log log;
    log.rename("a", "b", 100);
    CHECK(log.tell("/tmp/b") == "rename /tmp/b | /tmp/b");
}

TEST_CASE("a rename over a file deletes that one") {
    Log log;
    log.make("a", 100);
    log.make("b", 101);
    log.apply(Call::rename,
              {parent("/tmp", 2), parent("/tmp", 2), remove("a", 100), remove("b", 101), create("b", 100)});
    CHECK(log.tell("/tmp/b") == "create /tmp/a, rename /tmp/b | /tmp/b");
    CHECK(log.tell(101) == "create /tmp/b, unlink /tmp/b | deleted");
}

TEST_CASE("an exchange swaps the names") {
    Log log;
    log.mkdir("d", 3);
    log.apply(Call::open, {parent("d/", 3), create("d/a", 100)});
    log.make("b", 101);
    log.apply(Call::rename, {parent("d/", 3), parent("/tmp", 2), remove("d/a", 100), remove("b", 101), create("b", 100),
                             create("d/a", 101)});
    CHECK(log.tell("/tmp/b") == "create /tmp/d/a, rename /tmp/b | /tmp/b");
    CHECK(log.tell("/tmp/d/a") == "create /tmp/b, rename /tmp/d/a | /tmp/d/a");
}

TEST_CASE("a hard link keeps the file's history under both names") {
    Log log;
    log.make("a", 100);
    log.link("a", "b", 100);
    CHECK(log.tell("/tmp/b") == "create /tmp/a, link /tmp/b | /tmp/a /tmp/b");
    log.unlink("a", 100);
    CHECK(log.tell("/tmp/b") == "create /tmp/a, link /tmp/b, unlink /tmp/a | /tmp/b");
    log.unlink("b", 100);
    CHECK(log.tell(100) == "create /tmp/a, link /tmp/b, unlink /tmp/a, unlink /tmp/b | deleted");
}

TEST_CASE("a link to a file that was there before tells both names") {
    Log log;
    log.link("a", "b", 100);
    CHECK(log.tell("/tmp/a") == "link /tmp/b | /tmp/a /tmp/b");
}

TEST_CASE("a file without a name gets one by linkat") {
    Log log;
    log.mkdir("q", 3);
    FileEvent e = log.event(Call::open, {normal("/tmp/q", 100)});
    e.view.writes = true;
    e.view.unnamed = GENERATE(true, false); // that /tmp/q is a directory is known
    log.apply(e);
    CHECK(log.tell(100) == "create /tmp/q/#100 |");
    CHECK(log.tell("/tmp/q") == "unknown");
    log.link("/proc/self/fd/6", "x.lua", 100);
    CHECK(log.tell("/tmp/x.lua") == "create /tmp/q/#100, link /tmp/x.lua | /tmp/x.lua");
}

TEST_CASE("a name leads through the symlinks that were seen being made") {
    Log log;
    log.mkdir("real", 3);
    log.apply(Call::open, {parent("real/", 3), create("real/x", 100)});
    log.symlink("real", "way", 101);
    log.symlink("way/x", "x", 102);

    std::vector<const Change*> through;
    CHECK(Log::tell(log.ledger.find("/tmp/x", &through)) == "create /tmp/real/x | /tmp/real/x");
    REQUIRE(through.size() == 2);
    CHECK(through[0]->path == "/tmp/x");
    CHECK(through[1]->path == "/tmp/way");
    CHECK(through[1]->kind == ChangeKind::symlink);
    CHECK(log.tell("/tmp/way/x") == log.tell(100));
    CHECK(log.tell(102) == "symlink /tmp/x | /tmp/x");

    log.apply(Call::open, {create("/tmp/way/y", 103)}); // no parent item: the name alone
    CHECK(log.tell("/tmp/real/y") == "create /tmp/real/y | /tmp/real/y");
    log.write("x", 100);
    CHECK(log.tell(100) == "create /tmp/real/x, write /tmp/real/x | /tmp/real/x");
}

TEST_CASE("a moved symlink's relative target is taken from its new directory") {
    Log log;
    log.mkdir("d", 3);
    log.apply(Call::open, {parent("d/", 3), create("d/x", 100)});
    log.symlink("x", "s", 101);
    CHECK(log.tell("/tmp/s") == "unknown");
    log.apply(Call::rename,
              {parent("/tmp", 2), parent("d/", 3), remove("s", 101, link_mode), create("d/s", 101, link_mode)});
    CHECK(log.tell("/tmp/d/s") == "create /tmp/d/x | /tmp/d/x");
}

TEST_CASE("symlinks in a circle lead nowhere") {
    Log log;
    log.symlink("b", "a", 100);
    log.symlink("a", "b", 101);
    log.symlink("./deep/deep", "deep", 102);
    CHECK(log.tell("/tmp/a") == "unknown");
    CHECK(log.tell("/tmp/deep/x") == "unknown");
}

TEST_CASE("an unlinked file keeps its history until its inode is created anew") {
    Log log;
    log.make("a", 100);
    log.unlink("a", 100);
    CHECK(log.tell(100) == "create /tmp/a, unlink /tmp/a | deleted");
    CHECK(log.tell("/tmp/a") == "unknown");
    log.make("b", 100);
    CHECK(log.tell(100) == "create /tmp/b | /tmp/b");
}

TEST_CASE("a created inode that is known under another name was deleted unseen") {
    Log log;
    log.make("a", 100);
    log.make("b", 100);
    CHECK(log.tell(100) == "create /tmp/b | /tmp/b");
    CHECK(log.tell("/tmp/a") == "unknown");
}

TEST_CASE("a name that another inode took is lost to the former one") {
    Log log;
    log.make("a", 100);
    log.make("a", 101);
    CHECK(log.tell("/tmp/a") == "create /tmp/a | /tmp/a");
    CHECK(log.tell(100) == "create /tmp/a | deleted");
}

TEST_CASE("a container's file of the same name is another file") {
    Log log;
    log.make("/tmp/x", 100);
    log.apply(Call::open, {item(NameType::create, "/tmp/x", inode(100, 0x32))});
    log.apply(Call::chmod, {item(NameType::normal, "/tmp/x", inode(100, 0x32))});
    CHECK(log.tell(100) == "create /tmp/x | /tmp/x");
    CHECK(Log::tell(log.ledger.find(inode(100, 0x32))) == "create /tmp/x, chmod /tmp/x | /tmp/x");
}

TEST_CASE("the same event twice is one change") {
    Log log;
    for (const FileEvent& e :
         {log.event(Call::open, {parent("/tmp", 2), create("a", 100)}), log.event(Call::chmod, {normal("a", 100)})}) {
        log.apply(e);
        log.apply(e);
    }
    CHECK(log.tell(100) == "create /tmp/a, chmod /tmp/a | /tmp/a");
}

TEST_CASE("writes to an existing file are changes, those of one second one change") {
    Log log;
    const auto write = [&](std::int64_t after_ms, std::uint32_t pid) {
        FileEvent e = log.event(Call::open, {normal("a", 100)});
        e.typed.id.time_ms = 5'000'000 + after_ms;
        e.view.writes = true;
        e.typed.syscall.pid = pid;
        log.apply(e);
    };
    write(0, 10);
    write(600, 10);
    write(1000, 10);
    CHECK(log.tell(100) == "write /tmp/a | /tmp/a");
    write(1001, 10);
    CHECK(log.ledger.find(inode(100))->changes.size() == 2);
    write(1002, 11);
    CHECK(log.ledger.find(inode(100))->changes.size() == 3);
}

TEST_CASE("what changes nothing that could run is no change") {
    Log log;
    log.apply(Call::open, {normal("a", 100)}); // read
    log.write("/dev/null", 101, 020666);
    log.write("pipe", 102, 010644);
    log.apply(Call::chmod, {normal("dir", 103, directory)});
    log.apply(Call::open, {item(NameType::create, "b", FileId{0xfe00000000, 0})});
    log.apply(Call::open, {item(NameType::create, "c", {})});
    log.apply(Call::open, {item(NameType::unknown, "d", {}, {})});
    CHECK(log.ledger.size() == 0);
}

TEST_CASE("truncate and chmod are changes, by descriptor too") {
    Log log;
    log.make("a", 100);
    log.apply(Call::truncate, {normal("a", 100)});
    log.apply(Call::chmod, {item(NameType::normal, {}, inode(100))});
    log.apply(Call::chmod, {item(NameType::normal, {}, inode(101))});
    CHECK(log.tell(100) == "create /tmp/a, write /tmp/a, chmod /tmp/a | /tmp/a");
    CHECK(log.tell(101) == "chmod  |");
}

TEST_CASE("at most sixteen changes are kept: the first and the latest") {
    Log log;
    log.make("a", 100);
    for (int i = 0; i < 40; ++i) {
        log.apply(Call::chmod, {normal("a", 100)});
    }
    const File* file = log.ledger.find(inode(100));
    REQUIRE(file->changes.size() == 16);
    CHECK(file->changes.front().kind == ChangeKind::create);
    CHECK(file->changes[1].event.serial == 27);
    CHECK(file->changes.back().event.serial == 41);
}

TEST_CASE("at most eight names are kept: the latest") {
    Log log;
    log.make("0", 100);
    for (int i = 1; i < 20; ++i) {
        log.link("0", std::to_string(i), 100);
    }
    CHECK(log.ledger.find(inode(100))->paths.size() == 8);
    CHECK(log.ledger.find("/tmp/19") != nullptr);
}

} // namespace file_ledger_test
