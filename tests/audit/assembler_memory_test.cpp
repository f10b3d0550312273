// What the events in flight take is what the assembler says, and within its bound, whatever floods it.
#include <functional>

#include <fmt/format.h>

#include "luatrail/audit/assembler.hpp"
#include "luatrail/audit/typed.hpp"
#include "support/catch.hpp"
#include "support/counted_heap.hpp"

using namespace luatrail;

namespace {

struct Sink : audit::EventSink {
    std::size_t events = 0, partial = 0;
    void on_event(const audit::Event& event) override {
        ++events;
        partial += event.closed == audit::Closed::evicted ? 1 : 0;
    }
};

struct Flood {
    const char* name;
    std::function<void(audit::Assembler&, std::uint64_t)> record;
};

void push(audit::Assembler& assembler, std::uint64_t serial, std::string_view body, std::string_view node = "n") {
    assembler.push(
        {.id = {1000, serial}, .type = 1300, .type_name = "SYSCALL", .node = node, .body = body, .enriched = {}});
}

const Flood floods[] = {
    {"events of one short record", [](auto& to, auto i) { push(to, i, "x"); }},
    {"events of one long record", [](auto& to, auto i) { push(to, i, std::string(60'000, 'x')); }},
    {"one event of short records", [](auto& to, auto i) { push(to, 5, std::to_string(i)); }},
    {"events of many short records", [](auto& to, auto i) { push(to, i / 1000, std::to_string(i)); }},
    {"events as large as they may be",
     [](auto& to, auto i) { push(to, i / 40, std::string(30'000, 'x') + std::to_string(i)); }},
    {"many nodes with long names",
     [](auto& to, auto i) { push(to, 5, "x", std::string(200, 'n') + std::to_string(i)); }},
    {"large events, then small ones",
     [](auto& to, auto i) { push(to, i, std::string(i % 20'000 < 10'000 ? 8000 : 10, 'x')); }},
};

} // namespace

TEST_CASE("events in flight are within their bound, at what they take") {
    for (const auto& flood : floods) {
        INFO(flood.name);
        const auto before = heap_bytes;
        {
            Sink sink;
            audit::AssemblerLimits limits;
            limits.max_bytes = 4UL << 20U;
            audit::Assembler assembler(limits, sink);
            const auto itself = assembler.memory();
            for (std::uint64_t i = 0; i < 40'000; ++i) {
                flood.record(assembler, i);
                if (assembler.memory() > limits.max_bytes + itself) {
                    FAIL(assembler.memory());
                }
                if (i % 64 == 0) {
                    const auto taken = static_cast<double>(heap_bytes - before);
                    REQUIRE(static_cast<double>(assembler.memory()) > 0.8 * taken);
                    REQUIRE(static_cast<double>(assembler.memory()) < 1.25 * taken);
                }
            }
            assembler.flush();
            CHECK(sink.events > 0);
        }
        CHECK(heap_bytes == before);
    }
}

TEST_CASE("an event that is whole when room is needed is no part of one") {
    Sink sink;
    audit::AssemblerLimits limits;
    limits.max_events = 10;
    audit::Assembler assembler(limits, sink);
    const auto record = [&](std::uint64_t serial, audit::RecordType type, std::string_view name,
                            std::string_view body) {
        assembler.push(
            {.id = {1000, serial}, .type = type, .type_name = name, .node = {}, .body = body, .enriched = {}});
    };
    for (std::uint64_t serial = 0; serial < 100; ++serial) {
        record(serial, 1300, "SYSCALL", "arch=c000003e syscall=257 items=1 pid=5");
        if (serial % 2 == 0) {
            record(serial, 1302, "PATH", "item=0 name=\"/a\"");
        }
        record(serial, 1327, "PROCTITLE", "proctitle=\"x\"");
    }
    CHECK(sink.events == 90);
    CHECK(sink.partial == 45);
    CHECK(assembler.counters().evicted == 45);
}

TEST_CASE("what a large event needed is not kept by the decoder") {
    const std::string hex(900'000, '4'); // an untrusted string of 450,000 bytes
    const auto before = heap_bytes;
    audit::Decoder decoder;
    for (std::size_t large = 0; large < 40; ++large) {
        std::vector<std::string> bodies;
        for (std::size_t i = 0; i <= large; ++i) {
            bodies.push_back("item=0 name=" + (i == large ? hex : std::string("4141")) + " inode=1 dev=fe:00");
        }
        std::vector<audit::Record> records;
        for (const auto& body : bodies) {
            records.push_back(
                {.id = {1, 1}, .type = 1302, .type_name = "PATH", .node = {}, .body = body, .enriched = {}});
        }
        CHECK(decoder.decode({.id = {1, 1}, .node = {}, .records = records}).paths.size() == large + 1);
    }
    const audit::Event nothing{.id = {1, 2}, .node = {}, .records = {}};
    decoder.decode(nothing);
    const auto kept = heap_bytes - before;
    CHECK(kept < 500'000);
}
