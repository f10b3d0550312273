// Programs with Lua inside that run it without an exec.
#include <algorithm>

#include "support/catch.hpp"
#include "support/session.hpp"

namespace servers_test {

using namespace luatrail;
using test::as;
using test::begun_twice;
using test::Briefs;
using test::briefs;
using test::shell;
using test::silent;
using test::start;
using test::Who;

namespace {

Briefs below(const std::string& server, const std::vector<std::string>& server_argv,
             const std::vector<std::string>& shell_argv, const std::string& dropped = {}) {
    auto log = begun_twice();
    const auto parent = as(server);
    const Who child{.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"};
    if (!dropped.empty()) {
        log.create(shell, dropped, 700);
    }
    log.exec(parent, server_argv).fork(parent, 30).at(start + 100).exec(child, shell_argv);
    return briefs(log);
}

} // namespace

TEST_CASE("a shell below a server is told, and a dropped configuration that its command line names counts") {
    CHECK(below("/usr/sbin/nginx", {"nginx"}, {"sh", "-c", "id"}) ==
          Briefs{"info embedded: child-shell | no-baseline"});
    CHECK(below("/usr/sbin/nginx", {"nginx", "-c", "/tmp/n.conf"}, {"sh", "-c", "id"}, "/tmp/n.conf") ==
          Briefs{"critical embedded: script-drop/create child-shell | no-baseline"});
    CHECK(below("/usr/sbin/nginx", {"nginx", "-c", "/etc/nginx/n.conf"}, {"sh", "-c", "id"}, "/tmp/other") ==
          Briefs{"info embedded: child-shell | no-baseline"});
}

TEST_CASE("a configuration counts where the server was started on it, and not what it wrote itself") {
    const auto server = as("/usr/bin/redis-sentinel");
    const Who child{.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"};
    auto own = begun_twice(); // it keeps its state there
    own.exec(server, {"redis-sentinel", "/etc/s.conf"}).create(server, "/etc/s.conf", 700).fork(server, 30);
    CHECK(briefs(own.at(start + 100).exec(child, {"sh", "-c", "id"})) ==
          Briefs{"info embedded: child-shell | no-baseline"});
    auto later = begun_twice(); // edited, and not reloaded
    later.exec(server, {"redis-sentinel", "/etc/s.conf"}).fork(server, 30).at(start + 50);
    later.create(shell, "/etc/s.conf", 700);
    CHECK(briefs(later.at(start + 100).exec(child, {"sh", "-c", "id"})) ==
          Briefs{"info embedded: child-shell | no-baseline"});
}

TEST_CASE("what an old script of a server starts says nothing of its Lua") {
    const auto server = as("/usr/sbin/haproxy");
    const Who script{.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"};
    const Who curl{.pid = 31, .ppid = 30, .uid = 33, .exe = "/usr/bin/curl"};
    auto log = begun_twice();
    log.exec(server, {"haproxy"}).fork(server, 30).exec(script, {"/bin/sh", "/etc/haproxy/check.sh"}).fork(script, 31);
    const auto made = briefs(log.at(start + 100).exec(curl, {"curl", "http://10.0.0.1/"}));
    CHECK(std::count(made.begin(), made.end(), "info embedded: download | no-baseline") == 0);
}

TEST_CASE("rpm starts shells of its own: one with -c, where its package was dropped, is what os.execute starts") {
    const std::string package = "/tmp/x.rpm";
    const std::vector<std::string> install{"rpm", "-i", package};
    const Briefs found{"critical embedded: script-drop/create child-shell | no-baseline"};
    CHECK(below("/usr/bin/rpm", install, {"sh", "-c", "id"}, package) == found);
    CHECK(below("/usr/bin/rpm", install, {"sh", "-ec", "id"}, package) == found);
    CHECK(below("/usr/bin/rpm", install, {"/bin/sh", "/var/tmp/rpm-tmp.Ab12", "1"}, package) == silent); // a scriptlet
    CHECK(below("/usr/bin/rpm", install, {"sh", "-c", "id"}) == silent); // an old package
    CHECK(below("/usr/bin/rpmbuild", {"rpmbuild", "-bb", "/tmp/x.spec"}, {"sh", "-c", "date"}, "/tmp/x.spec") ==
          silent);
    auto log = begun_twice(); // a scriptlet's shell starts one
    const auto rpm = as("/usr/bin/rpm");
    const Who scriptlet{.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"};
    const Who its_own{.pid = 31, .ppid = 30, .uid = 33, .exe = "/usr/bin/dash"};
    log.create(shell, package, 700).exec(rpm, install).fork(rpm, 30).at(start + 100);
    log.exec(scriptlet, {"/bin/sh", "/var/tmp/rpm-tmp.Ab12", "1"}).fork(scriptlet, 31);
    CHECK(briefs(log.exec(its_own, {"sh", "-c", "id"})) == silent);
}

} // namespace servers_test
