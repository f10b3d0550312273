#include "luatrail/base/file.hpp"

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace luatrail;

TEST_CASE("a file is read whole, or up to a bound") {
    const test::TempDir directory;
    const std::string content(100'000, 'x');
    const auto path = directory.write("file", content + '\0' + "end");
    CHECK(base::read_file(path, 1'000'000) == content + '\0' + "end");
    CHECK(base::read_file(path, content.size()) == content);
    CHECK(base::read_file(path, 0) == "");
    CHECK(base::read_file(directory.write("empty", ""), 10) == "");
}

TEST_CASE("what can't be read is nothing, and errno says why") {
    const test::TempDir directory;
    errno = 0;
    CHECK(base::read_file(directory.path("none"), 10) == std::nullopt);
    CHECK(errno == ENOENT);
    CHECK(base::read_file(directory.path(), 10) == std::nullopt);
    CHECK(errno == EISDIR);
    CHECK(base::read_all(-1, 10) == std::nullopt);
    CHECK(errno == EBADF);
}

TEST_CASE("a file without an end is cut") {
    CHECK(base::read_file("/dev/zero", 100'000) == std::string(100'000, '\0'));
}

TEST_CASE("a pipe is read to its end, in as many pieces as it comes") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const base::Descriptor out(ends[0]);
    std::thread writer([end = ends[1]] {
        for (const char letter : {'a', 'b', 'c'}) {
            const std::string piece(30'000, letter);
            CHECK(::write(end, piece.data(), piece.size()) == 30'000);
        }
        ::close(end);
    });
    const auto all = base::read_all(out.get(), 1'000'000);
    writer.join();
    CHECK(all == std::string(30'000, 'a') + std::string(30'000, 'b') + std::string(30'000, 'c'));
}
