// What an inventory adds to verdicts: packages, accounts, units, altered files, package managers' own work.
#include "luatrail/inventory/inventory.hpp"
#include "support/catch.hpp"
#include "support/log.hpp"

namespace ownership_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;

namespace {

constexpr std::int64_t start = 1'795'572'010'000;
constexpr const char* baseline_text = R"(schema = 1
[[expect]]
id = "prosody"
executable = "/usr/bin/lua5.4"
script_package = "prosody"
user = "prosody"
)";

const Who systemd{.pid = 1, .ppid = 0, .exe = "/usr/lib/systemd/systemd"};
const Who lua{.pid = 20, .ppid = 1, .uid = 105, .exe = "/usr/bin/lua5.4"};

std::shared_ptr<inventory::Inventory> facts() {
    auto made = std::make_shared<inventory::Inventory>();
    made->built_ms = start + 86'400'000;
    made->packages = {{"lua5.4", "5.4.4-3", "amd64", {}, true},
                      {"prosody", "0.12", "amd64", {"lua5.4"}, false},
                      {"systemd", "252", "amd64", {}, false}};
    using inventory::DigestState;
    using inventory::FileKind;
    made->files["/usr/bin/lua5.4"] = {0, FileKind::interpreter, DigestState::matches, false};
    made->files["/usr/bin/prosody"] = {1, FileKind::lua_script, DigestState::matches, false};
    made->files["/usr/bin/altered"] = {1, FileKind::lua_script, DigestState::differs, false};
    made->files["/usr/lib/systemd/systemd"] = {2, FileKind::executable, DigestState::unchecked, false};
    made->directory_links["/bin"] = "/usr/bin";
    made->accounts = {{"root", "/bin/bash", 0, false}, {"prosody", "/usr/sbin/nologin", 105, true}};
    made->units = {
        {"prosody.service", "/lib/systemd/system/prosody.service", {"/usr/bin/prosody -F"}, "prosody", 1},
        {"other.service", "/etc/systemd/system/other.service", {"/usr/bin/lua5.4 /srv/own.lua $OPTIONS"}, {}, {}}};
    return made;
}

detect::EngineOptions with(std::shared_ptr<const inventory::Inventory> inventory, bool baseline = true) {
    detect::EngineOptions options;
    options.inventory = std::move(inventory);
    if (baseline) {
        options.baseline.load_text(baseline_text, "b.toml");
    }
    return options;
}

detect::Finding only(const test::Replay& made) {
    REQUIRE(made.findings.size() == 1);
    return made.findings.front();
}

Log service_run(const std::vector<std::string>& argv, const Who& who = lua) {
    Log log;
    log.at(start).exec(systemd, {"/sbin/init"});
    log.at(start + 1000).fork(systemd, who.pid);
    log.at(start + 1001).exec(who, argv);
    return log;
}

} // namespace

TEST_CASE("packages, the user's name and the unit come from the inventory") {
    const auto finding =
        only(replay(service_run({"/usr/bin/lua5.4", "/usr/bin/prosody", "-F"}).text, with(facts(), false)));
    CHECK(finding.interpreter.package == "lua5.4");
    CHECK(finding.code.package == "prosody");
    CHECK(finding.process.user == "prosody");
    CHECK(finding.process.unit == "prosody.service");
    REQUIRE(!finding.ancestors.empty());
    CHECK(finding.ancestors.back().package == "systemd");
}

TEST_CASE("without an inventory nothing is made up") {
    const auto finding = only(replay(service_run({"/usr/bin/lua5.4", "/usr/bin/prosody", "-F"}).text, with(nullptr)));
    CHECK(!finding.interpreter.package);
    CHECK(!finding.code.package);
    CHECK(!finding.process.user);
    CHECK(!finding.process.unit);
    CHECK(finding.expectation.verdict == detect::Verdict::unexpected); // the keys are unanswered
}

TEST_CASE("an expectation by package and name is met by what the inventory knows") {
    const auto made = replay(service_run({"/usr/bin/lua5.4", "/usr/bin/prosody", "-F"}).text, with(facts()));
    CHECK(made.findings.empty());
    CHECK(made.counters.expected_runs == 1);
}

namespace {

// What unit a run has that pid 1 forked, by what systemd said `later` ms after the fork.
std::optional<std::string> unit_of(const Log& log) {
    const auto made = replay(log.text);
    return only(made).process.unit;
}

constexpr const char* cron_started = "pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=job comm=\"systemd\" "
                                     "exe=\"/usr/lib/systemd/systemd\" hostname=? "
                                     "addr=? terminal=? res=success'";

Log begun(std::int64_t start_after) {
    Log log;
    log.at(start).exec(systemd, {"/sbin/init"}).at(start + 10'000).fork(systemd, lua.pid);
    return log.at(start + 10'000 + start_after).lone("SERVICE_START", cron_started).at(start + 16'000);
}

} // namespace

TEST_CASE("systemd's own record names the unit of what it forked then") {
    CHECK(unit_of(begun(2).exec(lua, {"lua5.4", "/srv/x.lua"})) == "job.service");
    CHECK(unit_of(begun(-9'000).exec(lua, {"lua5.4", "/srv/x.lua"})) == std::nullopt); // long before
    auto two = begun(2);
    two.at(start + 10'100).fork(systemd, 77).at(start + 16'000).exec(lua, {"lua5.4", "/srv/x.lua"});
    CHECK(unit_of(two) == std::nullopt); // either of two forks could be meant
    auto adopted = begun(2);
    const Who orphan{.pid = 50, .ppid = 1, .uid = 33, .exe = "/usr/bin/lua5.4"};
    CHECK(unit_of(adopted.exec(orphan, {"lua5.4", "/srv/x.lua"})) == std::nullopt); // nobody saw pid 1 fork it
    Log forged;
    forged.at(start).exec(systemd, {"/sbin/init"}).at(start + 10'000).fork(systemd, lua.pid);
    forged.lone("SERVICE_START", "pid=99 uid=33 auid=33 ses=1 msg='unit=job comm=\"x\" res=success'");
    CHECK(unit_of(forged.exec(lua, {"lua5.4", "/srv/x.lua"})) == std::nullopt); // not pid 1's word
    Log later;
    later.at(start).exec(systemd, {"/sbin/init"}).at(start + 10'000).fork(systemd, lua.pid).at(start + 10'010);
    later.exec(lua, {"lua5.4", "/srv/x.lua"}).at(start + 10'020).lone("SERVICE_START", cron_started);
    CHECK(unit_of(later) == std::nullopt); // known only after the verdict, live and in replay alike
}

TEST_CASE("the login of a session is told, also of who dropped the script") {
    Log log;
    const Who sshd{.pid = 9, .ppid = 1, .exe = "/usr/sbin/sshd"};
    Who shell{.pid = 20, .ppid = 9, .uid = 1000, .exe = "/usr/bin/bash"};
    shell.ses = 7;
    auto run = lua;
    run.pid = 21;
    run.ppid = 20;
    run.ses = 7;
    log.at(start).exec(sshd, {"sshd: jo"});
    log.lone("USER_LOGIN",
             "pid=9 uid=0 auid=1000 ses=7 msg='op=login id=1000 exe=\"/usr/sbin/sshd\" hostname=203.0.113.5 "
             "addr=203.0.113.5 terminal=ssh res=success'");
    log.lone("USER_START", "pid=30 uid=0 auid=1000 ses=7 msg='op=PAM:session_open acct=\"root\" exe=\"/usr/bin/sudo\" "
                           "hostname=? addr=? terminal=/dev/pts/0 res=success'");
    log.lone("USER_LOGIN", "pid=9 uid=0 auid=1000 ses=8 msg='op=login addr=198.51.100.9 res=failed'");
    log.fork(sshd, 20).exec(shell, {"bash"}).create(shell, "/tmp/x.lua", 700).fork(shell, 21);
    const auto finding = only(replay(log.exec(run, {"lua5.4", "/tmp/x.lua"}).text));
    REQUIRE(finding.process.login);
    CHECK(finding.process.login->address == "203.0.113.5");
    CHECK(finding.process.login->terminal == "ssh");
    CHECK(finding.process.login->account == "root");
    REQUIRE(finding.chain.size() == 1);
    CHECK(finding.chain[0].by->login->address == "203.0.113.5");
    REQUIRE(finding.chain[0].by->below);
    CHECK(finding.chain[0].by->below->program == "sshd");
    CHECK(finding.chain[0].by->below->kind == "remote-login");
    CHECK(finding.chain[0].by->kind == "shell");
}

TEST_CASE("a packaged script that was altered is not expected") {
    const auto finding = only(replay(service_run({"/usr/bin/lua5.4", "/usr/bin/altered"}).text, with(facts())));
    CHECK(finding.expectation.verdict == detect::Verdict::unexpected);
    CHECK(finding.expectation.reason == detect::ExpectationReason::altered_script);
    CHECK(finding.expectation.nearest == "prosody");
    CHECK(finding.expectation.path == "/usr/bin/altered");
    CHECK(finding.expectation.package == "prosody");
    CHECK(finding.code.package == "prosody"); // ownership explains, and does not absolve

    auto inventory = facts();
    inventory->files["/usr/bin/lua5.4"].state = inventory::DigestState::differs;
    const auto interpreter = only(replay(service_run({"/usr/bin/lua5.4", "/usr/bin/prosody"}).text, with(inventory)));
    CHECK(interpreter.expectation.reason == detect::ExpectationReason::altered_interpreter);
}

TEST_CASE("the host's packages say nothing of a container's files") {
    Log log;
    const Who shim{.pid = 9, .ppid = 1, .exe = "/usr/bin/containerd-shim-runc-v2"};
    const Who inside{.pid = 20, .ppid = 9, .uid = 105, .exe = "/usr/bin/lua5.4"};
    log.at(start).exec(shim, {"containerd-shim-runc-v2"});
    log.at(start + 1000).fork(shim, inside.pid);
    log.at(start + 1001).exec(inside, {"/usr/bin/lua5.4", "/usr/bin/prosody", "-F"});
    const auto finding = only(replay(log.text, with(facts())));
    CHECK(!finding.interpreter.package);
    CHECK(!finding.code.package);
    CHECK(!finding.process.user);
    CHECK(finding.expectation.verdict == detect::Verdict::unexpected);
}

TEST_CASE("a container's runtime is one as the file that is installed, not by its name") {
    const auto contained = [](const std::string& exe, std::uint32_t uid,
                              std::shared_ptr<inventory::Inventory> inventory, bool dropped = false) {
        const Who runtime{.pid = 9, .ppid = 1, .uid = uid, .exe = exe};
        const Who inside{.pid = 20, .ppid = 9, .uid = 105, .exe = "/usr/bin/lua5.4"};
        Log log;
        log.at(start);
        if (dropped) {
            log.create(systemd, exe, 777);
        }
        log.exec(runtime, {exe}).at(start + 1000).fork(runtime, inside.pid);
        log.at(start + 1001).exec(inside, {"/usr/bin/lua5.4", "/usr/bin/prosody", "-F"});
        return !only(replay(log.text, with(std::move(inventory), false))).interpreter.package;
    };
    CHECK(contained("/usr/bin/runc", 0, facts()));
    CHECK(contained("/usr/bin/bwrap", 1000, facts())); // without root: what is installed
    CHECK(contained("/var/lib/rancher/k3s/data/current/bin/containerd-shim-runc-v2", 0, facts()));
    CHECK_FALSE(contained("/home/u/runc", 1000, facts()));
    CHECK_FALSE(contained("/home/u/runc", 0, facts()));
    CHECK_FALSE(contained("/tmp/bwrap", 0, facts()));
    CHECK_FALSE(contained("/run/user/1000/crun", 1000, facts()));
    CHECK_FALSE(contained("/var/lib/x/crun", 1000, facts()));
    CHECK_FALSE(contained("/usr/bin/runc", 0, facts(), true));
    auto owned = facts();
    owned->files["/usr/bin/runc"] = {2, inventory::FileKind::executable, inventory::DigestState::unchecked, false};
    CHECK(contained("/usr/bin/runc", 0, owned, true)); // its package's upgrade
}

TEST_CASE("a unit is told by its whole command, and only when one alone fits") {
    const auto unit = [](const std::vector<std::string>& argv,
                         std::shared_ptr<inventory::Inventory> inventory = facts()) {
        return only(replay(service_run(argv).text, with(std::move(inventory), false))).process.unit;
    };
    CHECK(unit({"/usr/bin/lua5.4", "/srv/own.lua", "x"}) == "other.service"); // systemd puts something for $OPTIONS
    CHECK(unit({"/bin/lua5.4", "/bin/prosody", "-F"}) == "prosody.service");
    CHECK(!unit({"/usr/bin/lua5.4", "/usr/bin/prosody"}));
    CHECK(!unit({"/usr/bin/lua5.4", "/usr/bin/prosody", "-F", "-x"}));
    CHECK(!unit({"/usr/bin/lua5.4", "/tmp/prosody", "-F"}));
    auto two = facts();
    two->units.push_back({"twin.service", "/x", {"/usr/bin/prosody -F"}, {}, {}});
    CHECK(!unit({"/usr/bin/lua5.4", "/usr/bin/prosody", "-F"}, two));

    Log log; // a service's own child is in its unit, a login's child is not
    const Who main{.pid = 20, .ppid = 1, .uid = 105, .exe = "/usr/bin/lua5.4"};
    const Who child{.pid = 21, .ppid = 20, .uid = 105, .exe = "/usr/bin/lua5.4"};
    log.at(start).exec(systemd, {"/sbin/init"});
    log.at(start + 10).fork(systemd, 20).at(start + 11).exec(main, {"/usr/bin/lua5.4", "/usr/bin/prosody", "-F"});
    log.at(start + 20).fork(main, 21).at(start + 21).exec(child, {"lua5.4", "/srv/x.lua"});
    const auto made = replay(log.text, with(facts(), false));
    REQUIRE(made.findings.size() == 2);
    CHECK(made.findings[1].process.unit == "prosody.service");
}

TEST_CASE("a package manager's work is no drop where a package owns the file, and one where none does") {
    const auto drops = [](const std::string& path, std::shared_ptr<inventory::Inventory> inventory) {
        const Who dpkg{.pid = 15, .ppid = 1, .exe = "/usr/bin/dpkg"};
        Log log;
        log.at(start).exec(dpkg, {"dpkg", "-i", "x.deb"}).at(start + 5).create(dpkg, path, 77);
        log.at(start + 100).exec(lua, {"lua5.4", path});
        return only(replay(log.text, with(std::move(inventory), false))).chain.size();
    };
    CHECK(drops("/usr/bin/prosody", facts()) == 0);
    CHECK(drops("/usr/bin/prosody.dpkg-new", facts()) == 0);
    CHECK(drops("/usr/bin/prosody;5f3a", facts()) == 0);
    CHECK(drops("/tmp/evil.lua", facts()) == 1); // a package's script had it written
    CHECK(drops("/tmp/evil.lua", nullptr) == 0); // nobody can say
    auto older = facts();
    older->built_ms = start - 1000; // the package may be newer than what is known
    CHECK(drops("/usr/bin/new.lua", older) == 0);
}

} // namespace ownership_test
