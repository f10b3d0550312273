#include "plugin/status.hpp"

#include <fstream>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "plugin/status_value.hpp"

namespace luatrail::plugin {
namespace {

using Json = nlohmann::ordered_json;

Json malformed_value(const source::ParserCounters& parsed) {
    Json value;
    for (std::size_t at = 0; at < source::malformed_count; ++at) {
        value[std::string(source::to_string(static_cast<source::Malformed>(at)))] = parsed.malformed.at(at);
    }
    return value;
}

Json findings_value(const detect::EngineCounters& engine) {
    Json value;
    for (std::size_t at = 0; at < engine.findings.size(); ++at) {
        value[std::string(detect::to_string(static_cast<detect::Severity>(at)))] = engine.findings.at(at);
    }
    return value;
}

Json lag_value(const Lag& lag) {
    Json value;
    value["newest_ms"] = lag.newest_ms();
    const auto at_most = [&lag](double share) {
        const auto ms = lag.percentile(share);
        return ms ? Json(*ms) : Json(nullptr);
    };
    value["p50_ms_at_most"] = at_most(0.5);
    value["p99_ms_at_most"] = at_most(0.99);
    value["events"] = lag.total();
    value["sum_ms"] = lag.sum_ms();
    value["buckets"] = Json::array();
    std::uint64_t below = 0;
    for (std::size_t at = 0; at < Lag::bounds.size(); ++at) {
        below += lag.counts().at(at);
        value["buckets"].push_back({{"ms_at_most", Lag::bounds.at(at)}, {"events", below}});
    }
    return value;
}

Json syslog_value(const Status& status) {
    if (!status.syslog) {
        return nullptr;
    }
    const auto& from = *status.syslog;
    return {{"sent", from.sent}, {"queued", from.queued}, {"dropped", from.dropped}, {"reconnects", from.reconnects}};
}

Json kernel_value(const Status& status) {
    if (!status.kernel) {
        return nullptr;
    }
    const auto& from = *status.kernel;
    return {{"enabled", from.enabled},
            {"auditd_pid", from.pid},
            {"lost", from.lost},
            {"backlog", from.backlog},
            {"backlog_limit", from.backlog_limit}};
}

} // namespace

std::string to_json(const Status& status) {
    const auto& engine = status.engine;
    Json out;
    out["schema"] = status_schema;
    out["version"] = status.version;
    out["config"] = base::to_utf8(status.config);
    out["pid"] = status.pid;
    out["started"] = base::iso_time(status.started_ms);
    out["written"] = base::iso_time(status.written_ms);
    out["every_ms"] = status.every_ms;
    out["ended"] = status.ended;
    out["bytes"] = status.parsed.bytes;
    out["records"] = status.parsed.records;
    out["malformed"] = malformed_value(status.parsed);
    out["events"] = {{"judged", engine.events},
                     {"execs", engine.execs},
                     {"failed_execs", engine.failed_execs},
                     {"in_flight", status.in_flight},
                     {"late_records", status.assembled.late},
                     {"duplicate_records", status.assembled.duplicates}};
    out["lua"] = {{"runs", engine.runs}, {"expected", engine.expected_runs}, {"without_code", engine.version_calls}};
    out["findings"] = findings_value(engine);
    out["repeats"] = status.repeats;
    out["syslog"] = syslog_value(status);
    out["lost"] = {{"kernel", status.losses.kernel},
                   {"missing", status.losses.missing},
                   {"room", status.losses.room},
                   {"syslog", status.losses.syslog}};
    out["evicted"] = {
        {"processes", engine.evicted_processes}, {"files", engine.evicted_files}, {"nodes", engine.evicted_nodes}};
    out["tables"]["entries"] = {{"processes", engine.processes}, {"files", engine.files}, {"nodes", engine.nodes}};
    out["tables"]["bytes"] = {{"processes", engine.process_bytes}, {"files", engine.file_bytes}};
    out["memory"] = {{"tables", status.memory}, {"limit", status.memory_limit}, {"resident", status.resident}};
    out["kernel"] = kernel_value(status);
    out["look_ups"] = {{"done", status.look_ups.done},
                       {"late", status.look_ups.late},
                       {"skipped", status.look_ups.skipped},
                       {"ended", status.look_ups.ended}};
    out["privileges"] = {{"user", base::to_utf8(status.standing.user)},
                         {"seccomp", status.standing.seccomp},
                         {"landlock", status.standing.landlock}};
    out["helpers"] = Json::object();
    for (const auto& [name, lives] : status.helpers) {
        out["helpers"][name] = lives;
    }
    out["lag"] = lag_value(status.lag);
    constexpr int indent = 2;
    return out.dump(indent) + "\n";
}

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm"); // proc(5): size and resident, in pages
    std::size_t size = 0;
    std::size_t resident = 0;
    file >> size >> resident;
    return file ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

} // namespace luatrail::plugin
