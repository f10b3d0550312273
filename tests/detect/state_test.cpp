// What an engine knows, saved and loaded: nothing may be lost on the way, and nothing that was not whole be taken.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "luatrail/base/pack.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/host/running.hpp"
#include "support/catch.hpp"
#include "support/log.hpp"

namespace state_test {

using namespace luatrail;

namespace {

std::string packed(const detect::Engine& engine) {
    base::Packer out;
    engine.save(out);
    return out.take();
}

void unpack(detect::Engine& engine, const std::string& bytes) {
    base::Unpacker in(bytes);
    engine.load(in);
    if (!in.at_end()) {
        throw base::UnpackError("there is more");
    }
}

std::vector<std::string> recordings() {
    std::vector<std::string> all;
    for (const auto& directory : std::filesystem::directory_iterator(LUATRAIL_SOURCE_DIR "/fixtures/scenarios")) {
        if (std::filesystem::exists(directory.path() / "audit.log")) {
            all.push_back((directory.path() / "audit.log").string());
        }
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

struct Count : detect::FindingSink {
    void on_finding(const detect::Finding&) override { ++findings; }
    std::size_t findings = 0;
};

} // namespace

TEST_CASE("a loaded engine saves the same bytes again, whatever it has seen") {
    for (const auto& path : recordings()) {
        INFO(path);
        Count sink;
        detect::Engine engine({}, sink);
        test::feed(engine, text_of(path));
        const auto bytes = packed(engine);
        detect::Engine other({}, sink);
        unpack(other, bytes);
        CHECK(packed(other) == bytes);
        CHECK(other.memory() > 0);
    }
}

TEST_CASE("bytes that end early are refused, and leave an engine that works") {
    const auto text = text_of(LUATRAIL_SOURCE_DIR "/fixtures/scenarios/drop-other-user/audit.log");
    Count sink;
    detect::Engine engine({}, sink);
    test::feed(engine, text);
    const auto expected = sink.findings;
    REQUIRE(expected > 0);
    const auto bytes = packed(engine);
    for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 400 + 1) {
        Count fresh;
        detect::Engine other({}, fresh);
        CHECK_THROWS_AS(unpack(other, bytes.substr(0, size)), base::UnpackError);
        if (size % 8 == 0) {
            test::feed(other, text);
            CHECK(fresh.findings == expected);
        }
    }
}

TEST_CASE("a table under a smaller bound takes what fits") {
    Count sink;
    detect::Engine large({}, sink);
    for (const auto& path : recordings()) {
        test::feed(large, text_of(path));
    }
    detect::EngineOptions options;
    options.memory = 256UL * 1024;
    detect::Engine small(std::move(options), sink);
    unpack(small, packed(large));
    CHECK(small.memory() < large.memory());
    CHECK(small.counters().processes <= 256);
}

TEST_CASE("numbers, texts and options come back as they were") {
    base::Packer out;
    const std::int64_t least = INT64_MIN;
    const std::optional<std::string> text(std::string("a\0b", 3));
    const std::optional<std::uint32_t> none;
    out(least, std::int64_t{-1}, UINT64_MAX, true, text, none, std::vector<std::string>{"", "x"});
    const auto bytes = out.take();
    base::Unpacker in(bytes);
    std::int64_t a = 0;
    std::int64_t b = 0;
    std::uint64_t c = 0;
    bool d = false;
    std::optional<std::string> e;
    std::optional<std::uint32_t> f = 7;
    std::vector<std::string> g;
    in(a, b, c, d, e, f, g);
    CHECK(a == INT64_MIN);
    CHECK(b == -1);
    CHECK(c == UINT64_MAX);
    CHECK(d);
    CHECK(e == text);
    CHECK_FALSE(f.has_value());
    CHECK(g == std::vector<std::string>{"", "x"});
    CHECK(in.at_end());
    base::Unpacker huge(std::string_view("\xff\xff\xff\xff\x0f"));
    CHECK_THROWS_AS(huge.size(), base::UnpackError);
    base::Unpacker endless(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
    CHECK_THROWS_AS(endless.number(), base::UnpackError);
}

TEST_CASE("this very process is among those that run, with its parent before it") {
    const auto running = host::running_processes();
    const auto self = std::find_if(running.begin(), running.end(),
                                   [](const auto& one) { return one.pid == static_cast<std::uint32_t>(::getpid()); });
    REQUIRE(self != running.end());
    CHECK(self->ppid == static_cast<std::uint32_t>(::getppid()));
    CHECK(self->uid == ::getuid());
    CHECK(self->exe->find("test_detect") != std::string::npos);
    CHECK_FALSE(self->argv.empty());
    CHECK(host::running_processes("/no/such/directory").empty());

    base::Budget budget(1UL << 20U);
    host::ProcessTable table(budget);
    audit::TypedEvent gone;
    gone.id = {1000, 1};
    gone.has_syscall = true;
    gone.syscall.pid = 4'000'000;
    gone.syscall.exe = "/usr/bin/gone";
    table.sighted(gone);
    const audit::EventId now{self->started_ms + 1000, 5};
    host::seed(table, running, now);
    CHECK(table.find(4'000'000) == nullptr); // it does not run
    const auto ref = table.current(self->pid);
    REQUIRE(table.find(ref) != nullptr);
    CHECK(table.find(ref)->exe == self->exe);
    const auto size = table.size();
    host::seed(table, running, now); // known already
    CHECK(table.size() == size);
}

} // namespace state_test
