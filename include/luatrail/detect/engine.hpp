// Events in, findings out: the analytic itself (MITRE ATT&CK AN0279).
//
// One thread owns it. Event time is its only clock. It never looks at the host that it runs on, so the same events give
// the same findings, live or replayed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "luatrail/audit/event.hpp"
#include "luatrail/detect/expectation.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

struct EngineOptions {
    std::int64_t window_ms = 600'000;        // how long before a run a drop counts, and after it what follows
    std::size_t memory = 64UL * 1024 * 1024; // bound of all tables together
    ProfileSet profiles = ProfileSet::builtin();
    Baseline baseline;
};

struct EngineCounters {
    std::uint64_t events = 0;
    std::uint64_t execs = 0; // successful ones
    std::uint64_t failed_execs = 0;
    std::uint64_t runs = 0;          // of Lua code
    std::uint64_t expected_runs = 0; // without a finding
    std::uint64_t version_calls = 0; // of an interpreter without code (`lua -v`)
    std::uint64_t losses = 0;        // times that the log said records were lost
    std::uint64_t evicted_files = 0, evicted_processes = 0, evicted_nodes = 0;
    std::array<std::uint64_t, 5> findings{}; // by Severity
};

class Engine : public audit::EventSink {
  public:
    // `sink` outlives the engine.
    Engine(EngineOptions options, FindingSink& sink);
    ~Engine() override;

    void on_event(const audit::Event& event) override;

    // What counts from the next event on.
    void set_policy(ProfileSet profiles, Baseline baseline);

    // The source saw that records were lost (the kernel's "audit_lost=", the plugin's own drops): findings near it say
    // so.
    void note_loss(std::string_view node);

    EngineCounters counters() const;
    std::size_t memory() const; // bytes of the tables, estimated

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::detect
