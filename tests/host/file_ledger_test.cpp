#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "luatrail/host/file_ledger.hpp"
#include "support/catch.hpp"

using namespace luatrail;
using host::Change;
using host::ChangeKind;
using host::File;
using host::FileEvent;
using host::FileId;
using host::FileLedger;
using host::PathItem;
using Call = FileEvent::Call;
using NameType = PathItem::NameType;

namespace {

constexpr std::uint32_t regular = 0100644, directory = 040755, link_mode = 0120777;

FileId inode(std::uint64_t number, std::uint64_t dev = 0xfe00000000) {
    return {dev, number};
}

PathItem item(NameType type, std::optional<std::string_view> name, std::optional<FileId> id,
              std::optional<std::uint32_t> mode = regular) {
    return {0, name, id, mode, type};
}
PathItem parent(std::string_view name, std::uint64_t number) {
    return item(NameType::parent, name, inode(number), directory);
}
PathItem create(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
    return item(NameType::create, name, inode(number), mode);
}
PathItem remove(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
    return item(NameType::remove, name, inode(number), mode);
}
PathItem normal(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
    return item(NameType::normal, name, inode(number), mode);
}

const char* text(ChangeKind kind) {
    const char* const names[] = {"create", "write", "rename", "link", "symlink", "chmod", "unlink"};
    return names[static_cast<int>(kind)];
}

// A log of one node: each call is one event, a second after the one before. /tmp is inode 2 and cwd, unless told
// otherwise.
struct Log {
    explicit Log(std::size_t capacity = 1 << 20) : ledger(capacity) {}

    FileLedger ledger;
    std::int64_t ms = 1'000'000;
    std::uint64_t serial = 0;
    std::string cwd = "/tmp";
    bool at_cwd = true;
    std::uint32_t pid = 10;

    FileEvent event(Call call, std::vector<PathItem> items) {
        FileEvent e;
        e.call = call;
        e.event = {ms += 2000, ++serial};
        e.cwd = cwd;
        e.at_cwd = e.at_cwd_second = at_cwd;
        e.items = std::move(items);
        e.by_pid = pid;
        return e;
    }
    void apply(Call call, std::vector<PathItem> items) { ledger.apply(event(call, std::move(items))); }
    void make(std::string_view name, std::uint64_t number) {
        apply(Call::open, {parent(cwd, 2), create(name, number)});
    }
    void mkdir(std::string_view name, std::uint64_t number) {
        apply(Call::mkdir, {parent(cwd, 2), create(name, number, directory)});
    }
    void write(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
        FileEvent e = event(Call::open, {normal(name, number, mode)});
        e.writes = true;
        ledger.apply(e);
    }
    void rename(std::string_view from, std::string_view to, std::uint64_t number, std::uint32_t mode = regular) {
        apply(Call::rename, {parent(cwd, 2), parent(cwd, 2), remove(from, number, mode), create(to, number, mode)});
    }
    void link(std::string_view from, std::string_view to, std::uint64_t number) {
        apply(Call::link, {parent(cwd, 2), normal(from, number), create(to, number)});
    }
    void symlink(std::string_view target, std::string_view name, std::uint64_t number) {
        apply(Call::symlink,
              {parent(cwd, 2), item(NameType::unknown, target, {}, {}), create(name, number, link_mode)});
    }
    void unlink(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
        apply(Call::unlink, {parent(cwd, 2), remove(name, number, mode)});
    }

    // "create /tmp/a, rename /tmp/b | /tmp/b": the changes and the names; '?' behind an uncertain path.
    static std::string tell(const File* file) {
        if (file == nullptr) {
            return "unknown";
        }
        std::string told;
        for (const Change& change : file->changes) {
            told += (told.empty() ? "" : ", ") + std::string(text(change.kind)) + " " + change.path +
                    (change.path_uncertain ? "?" : "");
        }
        told += " |";
        for (const std::string& path : file->paths) {
            told += " " + path;
        }
        return told + (file->deleted ? " deleted" : "");
    }
    std::string tell(std::uint64_t number) const { return tell(ledger.find(inode(number))); }
    std::string tell(std::string_view path) const { return tell(ledger.find(path)); }
};

} // namespace

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
    e.by = {7, 1};
    e.by_exe = "/bin/cp";
    e.by_uid = 33;
    log.ledger.apply(e);
    const Change& change = log.ledger.find(inode(100))->changes.at(0);
    CHECK(change.event == e.event);
    CHECK(change.by == e.by);
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
    e.writes = true;
    e.unnamed = GENERATE(true, false); // that /tmp/q is a directory is known
    log.ledger.apply(e);
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
        log.ledger.apply(e);
        log.ledger.apply(e);
    }
    CHECK(log.tell(100) == "create /tmp/a, chmod /tmp/a | /tmp/a");
}

TEST_CASE("writes to an existing file are changes, those of one second one change") {
    Log log;
    const auto write = [&](std::int64_t after_ms, std::uint32_t pid) {
        FileEvent e = log.event(Call::open, {normal("a", 100)});
        e.event.time_ms = 5'000'000 + after_ms;
        e.writes = true;
        e.by_pid = pid;
        log.ledger.apply(e);
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

TEST_CASE("a name relative to a descriptor is told by its parent's inode") {
    Log log;
    log.mkdir("d1", 3);
    log.apply(Call::mkdir, {parent("d1/", 3), create("d1/d2", 4, directory)});
    log.cwd = "/";
    log.at_cwd = false;
    log.apply(Call::open, {parent("/", 4), create("m", 100)}); // the parent's name is a lie
    CHECK(log.tell("/tmp/d1/d2/m") == "create /tmp/d1/d2/m | /tmp/d1/d2/m");
    CHECK(log.tell("/m") == "unknown");
    log.apply(Call::open, {parent("/", 99), create("n", 101)}); // a directory that nobody told of
    CHECK(log.tell(101) == "create /n? | /n");
    FileEvent e = log.event(Call::open, {normal("m", 100)}); // no parent item: the file's own name decides
    e.writes = true;
    log.ledger.apply(e);
    CHECK(log.tell(100) == "create /tmp/d1/d2/m, write /tmp/d1/d2/m | /tmp/d1/d2/m");
    log.unlink("n", 101);
    CHECK(log.ledger.find(inode(101))->deleted);
}

TEST_CASE("a guessed place does not displace a known file") {
    Log log;
    log.make("a", 100);
    log.at_cwd = false;
    log.apply(Call::open, {parent("/tmp", 99), create("a", 101)});
    CHECK(log.tell("/tmp/a") == "create /tmp/a | /tmp/a");
    CHECK(log.tell(101) == "create /tmp/a? |");
}

TEST_CASE("directories are learned from what names them truly") {
    struct Row {
        const char *parent, *child, *cwd;
        bool at_cwd;
        const char* learned; // the path of the next file made in the directory by descriptor, cwd /elsewhere
    };
    const Row rows[] = {
        {"/tmp/q/", "/tmp/q/i", "/", false, "/tmp/q/next"},
        {"/tmp/q", "i", "/tmp/q", true, "/tmp/q/next"},
        {"sub/", "sub/i", "/tmp", true, "/tmp/sub/next"},
        {"../b/", "../b/i", "/a/c", true, "/a/b/next"},
        {"/", "/i", "/tmp", false, "/next"},
        {"/", "i", "/", true, "/next"},
        {"/", "i", "/", false, "/elsewhere/next?"},
        {"/tmp/q", "i", "/tmp/q", false, "/elsewhere/next?"},
        {"sub/", "sub/i", "/tmp", false, "/elsewhere/next?"},
        {"/proc/self/fd/", "/proc/self/fd/4", "/", true, "/elsewhere/next?"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.parent, row.child, row.at_cwd);
        Log log;
        log.cwd = row.cwd;
        log.at_cwd = row.at_cwd;
        log.apply(Call::open, {parent(row.parent, 50), create(row.child, 100)});
        const host::ResolvedPath next = log.ledger.resolve("next", "/elsewhere", inode(50), false);
        CHECK(next.path + (next.uncertain ? "?" : "") == row.learned);
    }
}

TEST_CASE("a name is resolved by the parent's inode first, by cwd after") {
    Log log;
    log.mkdir("d", 3);
    struct Row {
        const char* name;
        std::optional<std::string_view> cwd;
        std::optional<FileId> parent;
        bool at_cwd;
        const char* path;
    };
    const Row rows[] = {
        {"x", "/home", inode(3), false, "/tmp/d/x"},
        {"/other/x", "/home", inode(3), true, "/tmp/d/x"},
        {"x", "/home", inode(9), true, "/home/x"},
        {"x", "/home", inode(9), false, "/home/x?"},
        {"/a/../x", {}, {}, false, "/x"},
        {"x", {}, {}, true, "x"},
        {"..", "/home", inode(3), true, "/"},
        {"", "/home", inode(3), true, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name, row.at_cwd);
        const host::ResolvedPath got = log.ledger.resolve(row.name, row.cwd, row.parent, row.at_cwd);
        CHECK(got.path + (got.uncertain ? "?" : "") == row.path);
    }
}

TEST_CASE("a renamed directory takes along what is below it") {
    Log log;
    log.mkdir("a", 3);
    log.apply(Call::mkdir, {parent("a/", 3), create("a/b", 4, directory)});
    log.apply(Call::open, {parent("a/b/", 4), create("a/b/x", 100)});
    log.rename("a", "z", 3, directory);
    CHECK(log.tell(100) == "create /tmp/a/b/x | /tmp/z/b/x");
    CHECK(log.tell("/tmp/z/b/x") == log.tell(100));
    CHECK(log.tell("/tmp/a/b/x") == "unknown");
    CHECK(log.ledger.resolve("y", {}, inode(4), false).path == "/tmp/z/b/y");
}

TEST_CASE("a directory whose inode was not known takes along what is below it") {
    Log log;
    log.apply(Call::open, {create("/tmp/a/x", 100)}); // names /tmp/a, without its inode
    log.rename("a", "z", 3, directory);
    CHECK(log.tell("/tmp/z/x") == "create /tmp/a/x | /tmp/z/x");
}

TEST_CASE("a directory that is made anew is empty") {
    Log log;
    log.mkdir("a", 3);
    log.apply(Call::open, {parent("a/", 3), create("a/x", 100)});
    SECTION("after it was seen to go") {
        log.apply(Call::rmdir, {parent("/tmp", 2), remove("a", 3, directory)});
    }
    SECTION("or not") {}
    log.mkdir("a", 4);
    CHECK(log.tell("/tmp/a/x") == "unknown");
    CHECK(log.tell(100) == "create /tmp/a/x |");
    CHECK(log.ledger.resolve("y", "/c", inode(3), false).uncertain);
}

TEST_CASE("exchanged directories swap what is below them") {
    Log log;
    log.mkdir("a", 3);
    log.mkdir("b", 4);
    log.apply(Call::open, {parent("a/", 3), create("a/x", 100)});
    log.apply(Call::open, {parent("b/", 4), create("b/y", 101)});
    log.apply(Call::rename, {parent("/tmp", 2), parent("/tmp", 2), remove("a", 3, directory), remove("b", 4, directory),
                             create("b", 3, directory), create("a", 4, directory)});
    CHECK(log.tell("/tmp/b/x") == "create /tmp/a/x | /tmp/b/x");
    CHECK(log.tell("/tmp/a/y") == "create /tmp/b/y | /tmp/a/y");
}

TEST_CASE("a directory below itself is no directory") {
    Log log;
    log.mkdir("a", 3);
    log.apply(Call::mkdir, {parent("a/", 3), create("a/b", 4, directory)});
    log.apply(Call::rename,
              {parent("/tmp", 2), parent("a/b/", 4), remove("a", 3, directory), create("a/b/a", 3, directory)});
    CHECK(log.ledger.resolve("x", {}, inode(4), false).path == "/tmp/a/b/x");
}

TEST_CASE("a directory that goes by two names is one directory") {
    Log log; // /var/run is a symlink to /run since before the log
    log.apply(Call::open, {parent("/run/", 7), create("/run/a", 100)});
    log.apply(Call::open, {parent("/var/run/", 7), create("/var/run/b", 101)});
    CHECK(log.tell("/var/run/a") == "create /run/a | /run/a");
    CHECK(log.tell("/run/b") == "create /run/b | /run/b");
    CHECK(log.tell("/var/run/b") == log.tell(101));
}

TEST_CASE("what is only looked at teaches where things are") {
    Log log;
    log.make("a", 100);
    log.ledger.observe("/tmp", {normal("a", 200)}); // something took its place unseen
    CHECK(log.tell("/tmp/a") == "unknown");
    log.ledger.observe("/tmp", {normal("b", 100)}); // and there it is
    CHECK(log.tell("/tmp/b") == "create /tmp/a | /tmp/b");
    log.ledger.observe("/srv", {normal("dir", 9, directory)});
    CHECK(log.ledger.resolve("x", {}, inode(9), false).path == "/srv/dir/x");
    log.ledger.observe("/", {normal("b", 300), normal("dir2", 10, directory)}, false); // relative to who knows what
    CHECK(log.ledger.resolve("x", "/c", inode(10), false).uncertain);
    log.ledger.observe("/", {normal("/proc/self/fd/3", 100)});
    CHECK(log.ledger.find(inode(100))->paths == std::vector<std::string>{"/tmp/b"});
}

TEST_CASE("looking through a symlink leaves it what it is") {
    Log log;
    log.make("a", 100);
    log.symlink("a", "s", 101);
    log.ledger.observe("/tmp", {normal("s", 100), normal("s", 101, link_mode)});
    CHECK(log.tell(100) == "create /tmp/a | /tmp/a");
    CHECK(log.tell(101) == "symlink /tmp/s | /tmp/s");
    CHECK(log.tell("/tmp/s") == log.tell(100));
}

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
        e.cwd = cwds[random() % 4];
        e.at_cwd = random() % 2 == 0;
        e.at_cwd_second = random() % 2 == 0;
        e.writes = random() % 2 == 0;
        log.ledger.apply(e);
        log.ledger.observe(e.cwd, items);
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

TEST_CASE("throw-away files for ever: memory stays below the capacity, time grows with the events") {
    Log log(4 << 20);
    const auto make = [&](std::uint64_t from, std::uint64_t to) {
        const auto start = std::chrono::steady_clock::now();
        for (std::uint64_t i = from; i < to; ++i) {
            const std::string name = "junk" + std::to_string(i);
            log.make(name, i);
            if (i % 2 == 0) {
                log.unlink(name, i);
            }
        }
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    make(1000, 20'000); // full
    const double small = make(20'000, 30'000);
    const double large = make(30'000, 130'000);
    CHECK(log.ledger.memory() <= 4 << 20);
    CHECK(large < 40 * small);
}
