#include "luatrail/base/kernel_path.hpp"

#include "support/catch.hpp"

using namespace luatrail::base;

TEST_CASE("the kernel's mark of a deleted file is found and taken away") {
    CHECK(is_deleted("/tmp/a (deleted)"));
    CHECK(without_deleted("/tmp/a (deleted)") == "/tmp/a");
    CHECK(without_deleted("/tmp/a (deleted) (deleted)") == "/tmp/a (deleted)"); // once: the rest is the file's name
    for (const auto* path : {"", "/tmp/a", "/tmp/a(deleted)", "/tmp/a (deleted) ", "/tmp (deleted)/a", "(deleted)"}) {
        CHECK_FALSE(is_deleted(path));
        CHECK(without_deleted(path) == path);
    }
}

TEST_CASE("a memfd is told by where its name begins") {
    CHECK(is_memfd("/memfd:x (deleted)"));
    CHECK_FALSE(is_memfd("/tmp/memfd:x"));
    CHECK_FALSE(is_memfd("memfd:x"));
}
