// ldd starts the loader to print a program's libraries: no run of it.
#include "support/catch.hpp"
#include "support/log.hpp"

namespace ldd_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;
using Words = std::vector<std::string>;

namespace {

const Who shell{.pid = 10, .ppid = 1, .uid = 33, .exe = "/usr/bin/bash"};
const Who script{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/bash"};
const Who subshell{.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/bash"};

const char* const loader = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";

// A script with these words starts a program with those.
std::size_t findings(const Words& asked, const std::string& exe, const Words& argv, Log log = Log()) {
    const Who program{.pid = 30, .ppid = 20, .uid = 33, .exe = exe};
    log.exec(shell, {"bash"}).fork(shell, 20).exec(script, asked).fork(script, 30).exec(program, argv);
    return replay(log.text).findings.size();
}

const Words ldd{"/bin/bash", "/usr/bin/ldd", "/usr/bin/lua5.4"};

} // namespace

TEST_CASE("the loader, or the program, that ldd starts runs nothing") {
    CHECK(findings(ldd, loader, {loader, "/usr/bin/lua5.4"}) == 0);
    CHECK(findings(ldd, "/usr/bin/lua5.4", {"/usr/bin/lua5.4"}) == 0);
    CHECK(findings({"/bin/bash", "/usr/bin/ldd", "-v", "/bin/ls", "/usr/bin/lua5.4"}, loader,
                   {loader, "/usr/bin/lua5.4"}) == 0);
}

TEST_CASE("who only looks like ldd runs what it starts") {
    CHECK(findings({"/bin/bash", "/tmp/ldd", "/usr/bin/lua5.4"}, loader, {loader, "/usr/bin/lua5.4"}) == 1);
    CHECK(findings({"/bin/bash", "-c", "/usr/bin/ldd", "/usr/bin/lua5.4"}, loader, {loader, "/usr/bin/lua5.4"}) == 1);
    CHECK(findings({"/bin/bash", "/usr/bin/ldd", "/usr/bin/luajit"}, loader, {loader, "/usr/bin/lua5.4"}) == 1);
    CHECK(findings(ldd, loader, {loader, "/usr/bin/lua5.4", "/srv/x.lua"}) == 1); // ldd gives no arguments
    CHECK(findings(ldd, loader, {loader, "--argv0", "x", "/usr/bin/lua5.4"}) == 1);
    Log dropped;
    dropped.create(shell, "/usr/bin/ldd", 900);
    CHECK(findings(ldd, loader, {loader, "/usr/bin/lua5.4"}, dropped) == 1);
}

} // namespace ldd_test
