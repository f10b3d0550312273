#include "plugin/look_up_question.hpp"

#include <climits>

#include "luatrail/base/pack.hpp"
#include "support/catch.hpp"

using namespace luatrail;
using namespace luatrail::plugin;

namespace {

detect::Finding finding() {
    detect::Finding one;
    one.time_ms = 1795572000000;
    one.interpreter.exe = "/usr/bin/lua5.4";
    one.code.origin = detect::Origin::script;
    one.code.argument = "./x.lua";
    one.code.path = "/tmp/x.lua";
    one.code.inode = 4711;
    one.process.pid = 42;
    one.process.uid = 33;
    one.process.unit = "known.service";
    one.ancestors.push_back({7, "/bin/sh", {}, 0});
    return one;
}

Answered answer() {
    Seen seen;
    seen.evidence.interpreter.emplace().path = "/proc/42/exe";
    auto& script = seen.evidence.script.emplace();
    script.sha256 = std::string(64, 'a');
    script.size = 9;
    script.first_line = "return 1";
    script.note = "a note";
    seen.evidence.environment = {"LUA_INIT=@x"};
    seen.evidence.note = "another";
    seen.unit = "seen.service";
    seen.container = "c";
    seen.format = "text";
    return {seen, std::nullopt};
}

} // namespace

TEST_CASE("a question arrives as it was asked") {
    const auto read = read_asked(write_asked({Question::lua, asked_run(finding())}));
    CHECK(read.question == Question::lua);
    CHECK(read.run.pid == 42);
    CHECK(read.run.time_ms == 1795572000000);
    CHECK(read.run.exe == "/usr/bin/lua5.4");
    CHECK(read.run.origin == detect::Origin::script);
    CHECK(read.run.argument == "./x.lua");
    CHECK(read.run.path == "/tmp/x.lua");
    CHECK(read.run.inode == 4711);
    CHECK(read.run.user == 33);
    REQUIRE(read.run.above.size() == 1);
    CHECK(read.run.above[0].exe == "/bin/sh");
}

TEST_CASE("a question is bounded, whatever the records say") {
    auto large = finding();
    large.code.argument = std::string(PATH_MAX + 1, 'x');
    large.code.path = std::string(1 << 20, 'x');
    large.ancestors.resize(1000);
    const auto run = asked_run(large);
    CHECK(!run.argument);
    CHECK(!run.path);
    CHECK(run.above.size() == 16);
    CHECK(write_asked({Question::evidence, run}).size() < 8192);
}

TEST_CASE("an answer arrives whole, and what the records told stays") {
    auto read = read_answered(write_answered(answer()));
    REQUIRE(read.seen);
    auto one = finding();
    add_to(one, std::move(*read.seen));
    REQUIRE(one.evidence);
    CHECK(one.evidence->interpreter->path == "/proc/42/exe");
    CHECK(one.evidence->script->sha256 == std::string(64, 'a'));
    CHECK(one.evidence->script->size == 9);
    CHECK(one.evidence->script->first_line == "return 1");
    CHECK(one.evidence->script->note == "a note");
    CHECK(one.evidence->environment == std::vector<std::string>{"LUA_INIT=@x"});
    CHECK(one.evidence->note == "another");
    CHECK(one.process.unit == "known.service");
    CHECK(one.process.container == "c");
    CHECK(one.code.format == "text");
}

TEST_CASE("bytes that are cut, or too many, are refused") {
    const auto asked = write_asked({Question::evidence, asked_run(finding())});
    const auto answered = write_answered(answer());
    for (std::size_t size = 0; size < asked.size(); ++size) {
        CHECK_THROWS_AS(read_asked(asked.substr(0, size)), base::UnpackError);
    }
    for (std::size_t size = 0; size < answered.size(); ++size) {
        CHECK_THROWS_AS(read_answered(answered.substr(0, size)), base::UnpackError);
    }
    CHECK_THROWS_AS(read_asked(asked + "x"), base::UnpackError);
    CHECK_THROWS_AS(read_answered(answered + "x"), base::UnpackError);
}
