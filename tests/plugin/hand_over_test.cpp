#include "plugin/hand_over.hpp"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace hand_over_test {

using namespace luatrail;
using namespace luatrail::plugin;

namespace {

constexpr uid_t nobody = 65534;
const Account account{"nobody", nobody, nobody};

struct stat status_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status;
}

luatrail::setup::Config config_in(const test::TempDir& dir) {
    luatrail::setup::Config config;
    config.state.directory = dir.path("state");
    config.status.file = dir.path("run/status.json");
    config.detect.inventory = dir.path("state/inventory");
    return config;
}

bool root() {
    if (::geteuid() != 0) {
        WARN("only root can give files away");
    }
    return ::geteuid() == 0;
}

} // namespace

TEST_CASE("what an older plugin left as root is the account's, the inventory stays root's") {
    if (!root()) {
        return;
    }
    const test::TempDir dir;
    for (const auto* name : {"state", "state.bad", "lock", "inventory", "state.new"}) {
        dir.write(std::string("state/") + name, "x");
    }
    std::filesystem::permissions(dir.path("state"), std::filesystem::perms(0700));
    const auto done = hand_over(config_in(dir), account);
    CHECK(done.trouble.empty());
    const auto directory = status_of(dir.path("state"));
    CHECK(directory.st_uid == 0); // so that the account cannot take away what is not its own
    CHECK(directory.st_gid == nobody);
    CHECK((directory.st_mode & 07777) == 01770);
    for (const auto* name : {"state", "state.bad", "lock", "state.new"}) {
        CHECK(status_of(dir.path("state/") + name).st_uid == nobody);
    }
    CHECK(status_of(dir.path("state/inventory")).st_uid == 0);
    const auto made = status_of(dir.path("run")); // was missing
    CHECK(made.st_gid == nobody);
    CHECK((made.st_mode & 07777) == 01775);
    CHECK(done.places.directories == std::vector<std::string>{dir.path("state"), dir.path("run"), dir.path("state")});

    CHECK(hand_over(config_in(dir), {"root", 0, 0}).trouble.empty()); // and back
    CHECK(status_of(dir.path("state/state")).st_uid == 0);
}

TEST_CASE("a link in the state's directory gives nobody what it leads to") {
    if (!root()) {
        return;
    }
    const test::TempDir dir;
    dir.write("secret", "x");
    dir.write("state/lock", "");
    std::filesystem::create_hard_link(dir.path("secret"), dir.path("state/state"));
    std::filesystem::create_symlink(dir.path("secret"), dir.path("state/state.bad"));
    hand_over(config_in(dir), account);
    CHECK(status_of(dir.path("secret")).st_uid == 0);
    CHECK(status_of(dir.path("state/state.bad")).st_uid == 0);
    CHECK(status_of(dir.path("state/lock")).st_uid == nobody);
}

TEST_CASE("a directory that others use stays as it is") {
    if (!root()) {
        return;
    }
    const test::TempDir dir;
    dir.write("state/other", "x");
    dir.write("run/other", "x");
    auto config = config_in(dir);
    CHECK_THAT(hand_over(config, account).trouble, has_text("nobody cannot write in " + dir.path("state")));
    CHECK(status_of(dir.path("state")).st_gid == 0);

    config.state.directory = dir.path("mine");
    std::filesystem::create_directory(dir.path("mine"));
    const auto done = hand_over(config, account);
    CHECK(done.trouble.empty());
    CHECK(status_of(dir.path("run")).st_gid == 0);
    CHECK(status_of(dir.path("run/status.json")).st_uid == nobody); // rewritten in place
    CHECK(done.places.files == std::vector<std::string>{dir.path("run/status.json")});
}

TEST_CASE("a state directory that is missing is no reason to stay root") {
    if (!root()) {
        return;
    }
    const test::TempDir dir;
    CHECK(hand_over(config_in(dir), account).trouble.empty());
}

} // namespace hand_over_test
