// Events in, findings out: the analytic itself (MITRE ATT&CK AN0279).
//
// One thread owns it. Event time is its only clock. It never looks at the host that it runs on, so the same events give
// the same findings, live or replayed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "luatrail/audit/event.hpp"
#include "luatrail/detect/baseline.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/detect/profiles.hpp"
#include "luatrail/host/running.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace luatrail::detect {

struct EngineOptions {
    std::int64_t window_ms = 600'000;        // how long before a run a drop counts, and after it what follows
    std::size_t memory = 64UL * 1024 * 1024; // bound of all tables together
    ProfileSet profiles = ProfileSet::builtin();
    Baseline baseline;
    // Directories whose changes are reported where luatrail's own rules are loaded; empty: not known.
    std::vector<std::string> watched{};
    // Facts of the host that the records come from; null: none.
    std::shared_ptr<const inventory::Inventory> inventory{};
};

struct EngineCounters {
    std::uint64_t events = 0;
    std::uint64_t execs = 0; // successful ones
    std::uint64_t failed_execs = 0;
    std::uint64_t runs = 0;             // of Lua code
    std::uint64_t expected_runs = 0;    // without a finding
    std::uint64_t unchecked_runs = 0;   // of these, by an entry whose script_package no inventory could confirm
    std::uint64_t version_calls = 0;    // of an interpreter without code (`lua -v`)
    std::uint64_t losses = 0;           // times that the log said records were lost
    std::uint64_t software_updates = 0; // transactions that package managers reported
    std::uint64_t evicted_files = 0, evicted_processes = 0, evicted_runs = 0, evicted_nodes = 0;
    std::uint64_t nodes = 0, processes = 0, files = 0; // that the tables hold now
    std::uint64_t process_bytes = 0, file_bytes = 0;   // what they take
    std::array<std::uint64_t, 5> findings{};           // by Severity
};

class Engine : public audit::EventSink {
  public:
    // `sink` outlives the engine.
    Engine(EngineOptions options, FindingSink& sink);
    ~Engine() override;

    void on_event(const audit::Event& event) override;

    // Each record as it comes, before its event does: who logged in and which unit was started counts for what comes
    // after it, and such records are events of their own that nothing ends.
    void on_record(const audit::Record& record);

    // What a look at the host showed of a run: a variable that brings code before the script ("LUA_INIT=@/tmp/x"), or
    // that an unknown program has Lua inside. Each is reported as a live finding: no replay can make it. Not to be
    // called from within the sink.
    void saw_environment(const Finding& run, std::string_view assignment);
    void saw_content(const Finding& program, std::string_view version);

    // What counts from the next event on; the bound of the tables stays what it was.
    void set_options(EngineOptions options);

    // The same for the facts alone.
    void set_inventory(std::shared_ptr<const inventory::Inventory> inventory);

    // The source saw that records were lost (the kernel's "audit_lost=", the plugin's own drops): findings near it say
    // so.
    void note_loss(std::string_view node);

    // What runs on this host, where the log does not say: at the start of a live feed. `node` as its records will name
    // it. Processes that were known and are not among them have ended.
    void seed(std::string_view node, const std::vector<host::RunningProcess>& running, const audit::EventId& now);
    // What was loaded is of a former boot: no process of it runs.
    void begin_boot();

    // What the engine knows (not what it counted), for the next start. load() takes the place of all that is here, and
    // throws base::UnpackError.
    void save(base::Packer& out) const;
    void load(base::Unpacker& in);

    EngineCounters counters() const;
    std::size_t memory() const;       // bytes of the tables
    std::size_t memory_limit() const; // and their bound

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::detect
