// Directories: which one a relative name means, and what moves with them.
#include "host/ledger_log.hpp"
#include "support/catch.hpp"

namespace file_ledger_directories_test {

using namespace ledger_log;

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
    e.view.writes = true;
    log.apply(e);
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
    log.observe("/tmp", {normal("a", 200)}); // something took its place unseen
    CHECK(log.tell("/tmp/a") == "unknown");
    log.observe("/tmp", {normal("b", 100)}); // and there it is
    CHECK(log.tell("/tmp/b") == "create /tmp/a | /tmp/b");
    log.observe("/srv", {normal("dir", 9, directory)});
    CHECK(log.ledger.resolve("x", {}, inode(9), false).path == "/srv/dir/x");
    log.observe("/", {normal("b", 300), normal("dir2", 10, directory)}, false); // relative to who knows what
    CHECK(log.ledger.resolve("x", "/c", inode(10), false).uncertain);
    log.observe("/", {normal("/proc/self/fd/3", 100)});
    CHECK(log.ledger.find(inode(100))->paths == std::vector<std::string>{"/tmp/b"});
}

TEST_CASE("an inode that is seen again under a name after its last one was removed is another file") {
    Log log;
    log.make("a", 100);
    log.unlink("a", 100);
    log.observe("/srv", {normal("/proc/self/fd/3", 100)}); // still open: the same
    CHECK(log.ledger.find(inode(100)) != nullptr);
    log.observe("/srv", {normal("old", 100)});
    CHECK(log.ledger.find(inode(100)) == nullptr);
}

TEST_CASE("looking through a symlink leaves it what it is") {
    Log log;
    log.make("a", 100);
    log.symlink("a", "s", 101);
    log.observe("/tmp", {normal("s", 100), normal("s", 101, link_mode)});
    CHECK(log.tell(100) == "create /tmp/a | /tmp/a");
    CHECK(log.tell(101) == "symlink /tmp/s | /tmp/s");
    CHECK(log.tell("/tmp/s") == log.tell(100));
}

} // namespace file_ledger_directories_test
