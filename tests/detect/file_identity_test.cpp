// The expected file, not its name: what lies at an expected path in another mount namespace is another file.
#include "detect/known_files.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/inventory/inventory.hpp"
#include "support/catch.hpp"
#include "support/log.hpp"

namespace file_identity_test {

using namespace luatrail;
using test::Log;
using test::replay;
using test::Who;
using Briefs = std::vector<std::string>;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;
const std::string job = "/opt/app/job.lua";

const Who shell{.pid = 10, .ppid = 1, .uid = 33, .exe = "/usr/bin/bash"};
const Who admin{.pid = 90, .ppid = 1, .uid = 0, .exe = "/usr/bin/vim"};

Who lua(std::uint32_t pid, std::uint32_t ppid = 10) {
    return {.pid = pid, .ppid = ppid, .uid = 33, .exe = "/usr/bin/lua5.4"};
}

detect::EngineOptions expecting_job() {
    detect::EngineOptions options;
    options.baseline.load_text(
        "schema = 1\n[[expect]]\nid = \"job\"\nexecutable = \"/usr/bin/lua5.4\"\nscript = \"/opt/app/job.lua\"\n",
        "b.toml");
    return options;
}

// The job runs and opens its script, which is that file.
Log& runs(Log& log, std::uint32_t pid, std::uint64_t inode, const char* dev = "fe:00") {
    return log.exec(lua(pid), {"lua5.4", job})
        .read(lua(pid), Log::Item{.name = job, .inode = inode, .nametype = "NORMAL", .mode = "0100644", .dev = dev});
}

Log ran_before() {
    Log log;
    log.at(start).exec(shell, {"bash"});
    runs(log, 20, 900);
    return log.at(start + 1000);
}

} // namespace

TEST_CASE("another device or another inode at the expected path is another file, told with the run that it is of") {
    for (const char* dev : {"fe:00", "fe:01", "00:26"}) {
        for (const std::uint64_t inode : {900U, 901U}) {
            CAPTURE(dev, inode);
            auto log = ran_before();
            runs(log, 21, inode, dev);
            runs(log, 22, 900); // and the right one again
            const bool same = inode == 900 && std::string(dev) == "fe:00";
            const auto made = replay(log.text, expecting_job());
            REQUIRE(made.briefs == (same ? Briefs{} : Briefs{"low script: | other-file"}));
            if (!same) {
                const auto& finding = made.findings[0];
                CHECK(finding.process.pid == 21);
                CHECK(finding.expectation.reason == detect::ExpectationReason::other_file);
                CHECK(finding.expectation.nearest == "job");
                CHECK(finding.expectation.path == job);
                CHECK(finding.events.size() == 2); // the exec and the opening
            }
        }
    }
}

TEST_CASE("a change that the log shows makes another file the right one, whoever made it") {
    const auto changed = [](auto change) {
        auto log = ran_before();
        change(log);
        log.at(start + 2'000'000); // the drop itself is forgotten by then
        runs(log, 21, 901);
        return replay(log.text, expecting_job()).briefs;
    };
    CHECK(changed([](Log&) {}) == Briefs{"low script: | other-file"});
    CHECK(changed([](Log& log) { log.create(admin, job, 901); }).empty());
    CHECK(changed([](Log& log) { log.unlink(admin, job, 900); }).empty());
    const auto renamed = [](const std::string& from, const std::string& to, std::uint64_t inode, const char* dev) {
        return [=](Log& log) {
            const auto parent = to.substr(0, to.rfind('/') + 1);
            log.file_call(admin, "arch=c000003e syscall=82", "exit=0 a0=1 a1=2 a2=0 a3=0",
                          {{parent, 500 + parent.size(), "PARENT"},
                           {parent, 500 + parent.size(), "PARENT"},
                           {from, inode, "DELETE", "0100644", dev},
                           {to, inode, "CREATE", "0100644", dev}});
        };
    };
    CHECK(changed(renamed("/opt/app/job.lua.new", job, 901, "fe:00")).empty());
    CHECK(changed(renamed("/opt/app-2", "/opt/app", 700, "fe:00")).empty()); // a new release
    CHECK(changed(renamed("/opt/other", "/opt/others", 700, "fe:00")).size() == 1);
    // On another device it was another file of that name: somebody's own mount.
    CHECK(changed(renamed("/opt/app-2", "/opt/app", 700, "00:26")).size() == 1);
}

TEST_CASE("a package manager that root runs may have brought another file, of a package and on the same device") {
    struct Row {
        const char* what;
        std::uint32_t uid = 0;
        std::string owned = job;
        const char* dev = "fe:00";
        bool ran_as_another = false;
    };
    const Who dpkg{.pid = 40, .ppid = 10, .uid = 0, .exe = "/usr/bin/dpkg"};
    for (const auto& row : {Row{"right"}, Row{"by a user", 1000}, Row{"of no package", 0, "/opt/app/other.lua"},
                            Row{"on another device", 0, job, "fe:01"}, Row{"by an impostor", 0, job, "fe:00", true}}) {
        CAPTURE(row.what);
        auto facts = std::make_shared<inventory::Inventory>();
        facts->packages = {{"app", "1", "amd64", {}, false}};
        facts->files[row.owned] = {0, inventory::FileKind::lua_script, inventory::DigestState::matches, false};
        auto options = expecting_job();
        options.inventory = facts;
        auto log = ran_before();
        auto manager = dpkg;
        manager.uid = row.uid;
        if (row.ran_as_another) {
            log.same_inode("/usr/bin/bash", "/usr/bin/dpkg"); // a bind mount
        }
        log.exec(manager, {"dpkg", "-i", "app.deb"});
        runs(log, 21, 900); // before the file is replaced
        log.fork(manager, 41).exec({.pid = 41, .ppid = 40, .uid = row.uid, .exe = "/usr/bin/dpkg-deb"}, {"dpkg-deb"});
        runs(log, 22, 901, row.dev);
        CHECK(replay(log.text, options).briefs.empty() == (std::string_view(row.what) == "right"));
    }
}

TEST_CASE("what an overlay puts in the script's place is found by its inode's number, without an earlier run") {
    const auto overlaid = [](const std::string& upper, std::uint64_t inode, const char* dev) {
        Log log;
        log.at(start).exec(shell, {"bash"}).create(shell, upper, 777);
        runs(log, 20, inode, dev);
        return replay(log.text, expecting_job()).briefs;
    };
    CHECK(overlaid("/tmp/u/up/job.lua", 777, "00:26") ==
          Briefs{"low script: | other-file", "high script: script-drop/create | other-file"});
    CHECK(overlaid("/tmp/u/up/other.lua", 777, "00:26").empty()); // numbers are equal now and then
    CHECK(overlaid("/tmp/u/up/job.lua", 778, "00:26").empty());
    CHECK(overlaid("/tmp/u/up/job.lua", 777, "fe:01").empty()); // a disk's own numbers
}

TEST_CASE("a #! script is known by the exec itself") {
    const auto executed = [](Log& log, std::uint32_t pid, std::uint64_t inode) {
        log.file_call(lua(pid), "arch=c000003e syscall=59", "exit=0 a0=1 a1=2 a2=3 a3=4",
                      {{job, inode}, {"/usr/bin/lua5.4", 800}, {"/lib64/ld-linux-x86-64.so.2", 801}});
        log.more("EXECVE", "argc=2 a0=\"/usr/bin/lua5.4\" a1=\"" + job + "\"");
    };
    Log log;
    log.at(start).exec(shell, {"bash"});
    executed(log, 20, 900);
    executed(log, 21, 900);
    CHECK(replay(log.text, expecting_job()).briefs.empty());
    executed(log, 22, 901);
    CHECK(replay(log.text, expecting_job()).briefs == Briefs{"low script: | other-file"});
}

TEST_CASE("what nobody expects teaches nothing, and a container's files are its own") {
    auto log = ran_before();
    const Who other{.pid = 30, .ppid = 10, .uid = 33, .exe = "/usr/bin/luajit"};
    log.exec(other, {"luajit", job}).read(other, job, 901);
    CHECK(replay(log.text, expecting_job()).briefs == Briefs{"low script: |"});

    const Who shim{.pid = 40, .ppid = 1, .exe = "/usr/bin/containerd-shim-runc-v2"};
    auto contained = ran_before();
    contained.exec(shim, {"containerd-shim-runc-v2"}).fork(shim, 41).exec(lua(41, 40), {"lua5.4", job});
    contained.read(lua(41, 40), Log::Item{.name = job, .inode = 5, .mode = "0100644", .dev = "00:30"});
    CHECK(replay(contained.text, expecting_job()).briefs.empty());
}

TEST_CASE("a module that is not as its package brought it counts as a script does") {
    auto inventory = std::make_shared<inventory::Inventory>();
    inventory->packages = {{"lua-argparse", "0.7", "all", {}, false}};
    using inventory::DigestState;
    using inventory::FileKind;
    inventory->files["/usr/share/lua/5.4/argparse.lua"] = {0, FileKind::lua_module, DigestState::differs, false};
    inventory->files["/usr/share/lua/5.4/same.lua"] = {0, FileKind::lua_module, DigestState::matches, false};
    auto options = expecting_job();
    options.inventory = inventory;
    Log log;
    log.at(start).exec(shell, {"bash"});
    runs(log, 20, 900).read(lua(20), "/usr/share/lua/5.4/same.lua", 950);
    CHECK(replay(log.text, options).briefs.empty());
    log.read(lua(20), "/usr/share/lua/5.4/argparse.lua", 951).read(lua(20), "/usr/share/lua/5.4/argparse.lua", 951);
    const auto made = replay(log.text, options);
    REQUIRE(made.briefs == Briefs{"low script: |"});
    CHECK(made.findings[0].expectation.reason == detect::ExpectationReason::altered_module);
    CHECK(made.findings[0].expectation.path == "/usr/share/lua/5.4/argparse.lua");
    CHECK(made.findings[0].expectation.package == "lua-argparse");
}

TEST_CASE("known files: bounded, the one met longest ago goes; another file is the right one after a while") {
    base::Budget budget(1U << 30U);
    detect::KnownFiles known(budget);
    constexpr std::int64_t patience = 1000;
    const host::FileId first{1, 1}, second{1, 2};
    CHECK_FALSE(known.is_other("/a", first, 0, patience));
    CHECK(known.is_other("/a", second, 10, patience));
    CHECK(known.is_other("/a", second, 1010, patience));
    CHECK_FALSE(known.is_other("/a", second, 1011, patience));
    CHECK(known.is_other("/a", first, 1012, patience));
    CHECK_FALSE(known.is_other("/a", second, 1013, patience)); // the right one: the wait begins anew
    CHECK(known.is_other("/a", first, 2500, patience));
    CHECK(known.may_hold("a"));

    const auto one = known.bytes();
    for (std::uint32_t at = 0; at < 2 * detect::KnownFiles::most; ++at) {
        known.is_other("/flood/" + std::string(at, 'x'), {2, at}, 5000 + at, patience);
    }
    CHECK(known.size() == detect::KnownFiles::most);
    CHECK(known.bytes() > one);
    CHECK_FALSE(known.find("/a"));

    base::Packer out;
    known.save(out);
    const auto bytes = out.take();
    base::Unpacker in(bytes);
    detect::KnownFiles loaded(budget);
    loaded.load(in);
    CHECK(in.at_end());
    CHECK(loaded.size() == known.size());
    known.changed("/flood", 2);
    CHECK(known.size() == 0);
    CHECK_FALSE(known.give_way());
}

} // namespace file_identity_test
