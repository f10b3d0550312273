#include "plugin/helper.hpp"

#include <csignal>
#include <fstream>

#include <dirent.h>
#include <unistd.h>

#include "luatrail/base/pack.hpp"
#include "support/catch.hpp"

using namespace luatrail::plugin;
using namespace std::chrono_literals;

namespace {

// Answers with the question, its own pid, or not at all.
Helper::Task echo() {
    Helper::Task task{"luatrail-test", {}, Calls::look_ups, true, false, -1, {}};
    task.answer = [](std::string_view question) -> std::string {
        if (question == "pid") {
            return std::to_string(::getpid());
        }
        if (question == "slow") {
            ::usleep(300'000);
        }
        if (question == "nonsense") {
            throw luatrail::base::UnpackError("it ends early");
        }
        return std::string(question);
    };
    return task;
}

pid_t pid_of(Helper& helper) {
    REQUIRE(helper.ask("pid"));
    return std::stoi(helper.answer(10s).value_or("0"));
}

bool runs(pid_t pid) {
    return ::kill(pid, 0) == 0;
}

template <class Condition>
bool soon(Condition condition) {
    for (int turn = 0; turn < 5000; ++turn) {
        if (condition()) {
            return true;
        }
        ::usleep(1000);
    }
    return false;
}

} // namespace

TEST_CASE("a helper answers each question once") {
    Helper helper(echo(), std::nullopt);
    REQUIRE(helper.alive());
    for (const std::string question : {"a", "", "b"}) {
        REQUIRE(helper.ask(question));
        CHECK(helper.answer(10s) == question);
        CHECK(!helper.answer(0ms));
    }
}

TEST_CASE("an answer that comes late is no answer to the next question") {
    Helper helper(echo(), std::nullopt);
    REQUIRE(helper.ask("slow"));
    CHECK(!helper.answer(0ms));
    CHECK(helper.busy());
    CHECK(!helper.ask("next"));
    CHECK(soon([&] { return helper.ask("next"); }));
    CHECK(helper.answer(10s) == "next");
}

TEST_CASE("a helper that is killed is noticed, and nothing waits for it") {
    Helper helper(echo(), std::nullopt);
    const auto pid = pid_of(helper);
    ::kill(pid, SIGTERM); // auditd's, or a terminal's, to all of a group: not its own to heed
    CHECK(pid_of(helper) == pid);
    ::kill(pid, SIGKILL);
    CHECK(soon([&] { return !helper.alive(); }));
    CHECK(!helper.ask("a"));
    CHECK(!helper.answer(10s));
}

TEST_CASE("a helper ends with its parent's end of the socket") {
    pid_t pid = 0;
    {
        Helper helper(echo(), std::nullopt);
        pid = pid_of(helper);
        CHECK(runs(pid));
    }
    CHECK(soon([&] { return !runs(pid); }));
}

TEST_CASE("what is no question ends the helper, not its parent") {
    Helper unreadable(echo(), std::nullopt);
    REQUIRE(unreadable.ask("nonsense"));
    CHECK(!unreadable.answer(10s));
    CHECK(soon([&] { return !unreadable.alive(); }));

    Helper flooded(echo(), std::nullopt);
    flooded.ask(std::string(most_message + 1, 'x'));
    CHECK(!flooded.answer(10s));
    CHECK(soon([&] { return !flooded.alive(); }));
}

TEST_CASE("a helper holds nothing open of its parent's") {
    Helper first(echo(), std::nullopt);
    Helper second(echo(), std::nullopt);
    const auto directory = "/proc/" + std::to_string(pid_of(second)) + "/fd";
    int count = 0;
    auto* const entries = ::opendir(directory.c_str());
    REQUIRE(entries != nullptr);
    while (const auto* entry = ::readdir(entries)) {
        count += entry->d_name[0] == '.' ? 0 : 1;
    }
    ::closedir(entries);
    CHECK(count == 4); // three standard ones and its socket
}
