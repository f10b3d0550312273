#include <string>

#include "luatrail/host/file_ledger.hpp"
#include "support/catch.hpp"

namespace paths_test {

using luatrail::host::join_path;
using luatrail::host::normal_path;

TEST_CASE("a path is made normal by its text alone") {
    struct Row {
        const char *path, *normal;
    };
    const Row rows[] = {
        {"", ""},
        {"/", "/"},
        {"//", "/"},
        {"/tmp/a/../x", "/tmp/x"},
        {"/../..", "/"},
        {"/a//b/", "/a/b"},
        {"/./a/.", "/a"},
        {"a", "a"},
        {"./a", "a"},
        {"a/..", "."},
        {".", "."},
        {"..", ".."},
        {"../../a", "../../a"},
        {"a/../../b", "../b"},
        {"../a/..", ".."},
        {"/a/...", "/a/..."},
        {"a/b/../..", "."},
        {"/a/b/../../..", "/"},
        {"..a/b", "..a/b"},
        {"a/../..", ".."},
    };
    for (const Row& row : rows) {
        CAPTURE(row.path);
        CHECK(normal_path(row.path) == row.normal);
        CHECK(normal_path(normal_path(row.path)) == row.normal);
    }
}

TEST_CASE("a name is joined to its directory unless it is absolute") {
    struct Row {
        const char *directory, *name, *joined;
    };
    const Row rows[] = {
        {"/tmp", "x", "/tmp/x"}, {"/", "x", "/x"},     {"/tmp/", "../x", "/x"}, {"/tmp", "/x/", "/x"},
        {"", "x/./y", "x/y"},    {"/tmp", "", "/tmp"}, {"a", "b", "a/b"},       {"a", "../b", "b"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.directory, row.name);
        CHECK(join_path(row.directory, row.name) == row.joined);
    }
}

} // namespace paths_test
