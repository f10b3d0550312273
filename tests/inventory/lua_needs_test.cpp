#include "inventory/lua_needs.hpp"

#include "support/catch.hpp"

using namespace luatrail::inventory;

TEST_CASE("a library of an interpreter is told from a module's") {
    for (const auto* path :
         {"/usr/lib/x86_64-linux-gnu/liblua5.4.so.0", "/usr/lib64/liblua-5.4.so", "/usr/lib/liblua.so.5.4",
          "/usr/lib/liblua.so", "/usr/lib/x86_64-linux-gnu/liblua5.4-c++.so.0.0.0", "/usr/lib/liblua++.so.5.4",
          "/usr/lib/libluajit-5.1.so.2", "/usr/lib/x86_64-linux-gnu/libluajit2-5.1.so.2", "/usr/lib/libtexlua53.so.5",
          "/usr/lib/libtexluajit.so.2", "liblua5.1.so"}) {
        INFO(path);
        CHECK(is_lua_library(path));
    }
    for (const auto* path :
         {"/usr/lib/x86_64-linux-gnu/liblua5.1-bitop.so.0", "/usr/lib/liblua5.4-lpeg.so", "/usr/lib/libluaconfig.so",
          "/usr/lib/liblua5.4.a", "/usr/lib/liblua", "/usr/lib/libclua.so", "", "/usr/lib/liblua5.4.so.d/x"}) {
        INFO(path);
        CHECK(!is_lua_library(path));
    }
}

TEST_CASE("needs go by names, alternatives, virtual names and files, by the shortest way") {
    std::vector<ListedPackage> listed(7);
    const auto set = [&](std::size_t at, const char* name, std::vector<std::vector<std::string>> depends,
                         std::vector<std::string> provides = {}) {
        listed[at].name = name;
        listed[at].depends = std::move(depends);
        listed[at].provides = std::move(provides);
    };
    set(0, "lua", {}, {"lua-interpreter"});
    listed[0].files = {{"/usr/bin/lua", ""}};
    set(1, "virtual", {{"lua-interpreter"}});
    set(2, "other", {{"not-there", "virtual"}});
    set(3, "file", {{"/usr/bin/lua"}});
    set(4, "nothing", {{"not-there"}, {"libc"}});
    set(5, "both", {{"other"}, {"lua"}});
    set(6, "circle", {{"circle"}, {"nothing"}});
    std::vector<Package> packages(7);
    for (std::size_t at = 0; at < 7; ++at) {
        packages[at].name = listed[at].name;
    }
    packages[0].is_lua = true;
    find_lua_needs(listed, packages);
    using Way = std::vector<std::string>;
    CHECK(packages[0].depends_on_lua == Way{});
    CHECK(packages[1].depends_on_lua == Way{"lua"});
    CHECK(packages[2].depends_on_lua == Way{"virtual", "lua"});
    CHECK(packages[3].depends_on_lua == Way{"lua"});
    CHECK(packages[4].depends_on_lua == Way{});
    CHECK(packages[5].depends_on_lua == Way{"lua"});
    CHECK(packages[6].depends_on_lua == Way{});
}
