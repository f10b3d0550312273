#include "luatrail/plugin/status.hpp"

#include <algorithm>
#include <fstream>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"

namespace luatrail::plugin {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* schema = "luatrail/status/1";

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

// Upper bound of the bucket in which the share of the events lies; nothing beyond the last one, or without events.
Json percentile(const Lag& lag, double share) {
    std::uint64_t below = 0;
    for (std::size_t at = 0; at < Lag::bounds.size() && lag.total() > 0; ++at) {
        below += lag.counts().at(at);
        if (static_cast<double>(below) >= share * static_cast<double>(lag.total())) {
            return Lag::bounds.at(at);
        }
    }
    return nullptr;
}

Json lag_value(const Lag& lag) {
    Json value;
    value["newest_ms"] = lag.newest_ms();
    value["p50_ms_at_most"] = percentile(lag, 0.5);
    value["p99_ms_at_most"] = percentile(lag, 0.99);
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

Json parse(std::string_view json) {
    auto value = Json::parse(json, nullptr, false);
    if (value.is_discarded() || !value.is_object() || value.value("schema", "") != schema) {
        throw base::Error("no status of luatrail; name the file that status.file of the plugin's configuration names");
    }
    return value;
}

// What a newer or older version has not is 0.
std::uint64_t number_at(const Json& value, const std::string& pointer) {
    const Json::json_pointer where(pointer);
    return value.contains(where) && value[where].is_number() ? value[where].get<std::uint64_t>() : 0;
}

std::string text_at(const Json& value, const std::string& pointer) {
    const Json::json_pointer where(pointer);
    return value.contains(where) && value[where].is_string() ? base::printable(value[where].get<std::string>()) : "";
}

std::int64_t time_at(const Json& value, const std::string& pointer) {
    return base::parse_time(text_at(value, pointer)).value_or(0);
}

struct Metric {
    const char* name;
    const char* type;
    const char* help;
    const char* pointer;
    const char* label = nullptr; // the pointer's keys are its values
};

constexpr Metric metrics[] = {
    {"records_total", "counter", "Audit records read.", "/records"},
    {"bytes_total", "counter", "Bytes read.", "/bytes"},
    {"malformed_lines_total", "counter", "Lines that are no audit records.", "/malformed", "reason"},
    {"events_total", "counter", "Audit events judged.", "/events/judged"},
    {"execs_total", "counter", "Successful execs.", "/events/execs"},
    {"events_in_flight", "gauge", "Events that wait for records.", "/events/in_flight"},
    {"lua_runs_total", "counter", "Runs of Lua code.", "/lua/runs"},
    {"lua_runs_expected_total", "counter", "Runs of Lua code that are expected: no finding.", "/lua/expected"},
    {"findings_total", "counter", "Findings by severity, before min_severity and repeat.", "/findings", "severity"},
    {"findings_repeated_total", "counter", "Findings that were counted into an equal one.", "/repeats"},
    {"syslog_sent_total", "counter", "Findings that syslog took.", "/syslog/sent"},
    {"syslog_queued", "gauge", "Messages that wait for syslog.", "/syslog/queued"},
    {"syslog_dropped_total", "counter", "Findings that syslog did not take.", "/syslog/dropped"},
    {"syslog_reconnects_total", "counter", "Connections to syslog after the first.", "/syslog/reconnects"},
    {"lost_total", "counter",
     "Lost: records by the kernel, events on their way here or for want of room, findings by syslog.", "/lost",
     "where"},
    {"evicted_total", "counter", "Entries that the tables gave up for want of room.", "/evicted", "table"},
    {"table_entries", "gauge", "Entries that the tables hold.", "/tables/entries", "table"},
    {"table_bytes", "gauge", "Bytes that the tables take.", "/tables/bytes", "table"},
    {"memory_bytes", "gauge", "Bytes of all tables together.", "/memory/tables"},
    {"memory_limit_bytes", "gauge", "engine.memory.", "/memory/limit"},
    {"resident_bytes", "gauge", "Resident bytes of the process.", "/memory/resident"},
    {"kernel_backlog", "gauge", "Records that wait in the kernel.", "/kernel/backlog"},
    {"kernel_backlog_limit", "gauge", "How many may wait in the kernel.", "/kernel/backlog_limit"},
    {"kernel_lost", "gauge", "The kernel's counter of lost records.", "/kernel/lost"},
    {"look_ups_total", "counter", "Looks at the host for a finding.", "/look_ups", "result"},
};

void add_metric(std::string& out, const Json& value, const Metric& metric) {
    const Json::json_pointer where(metric.pointer);
    if (!value.contains(where)) {
        return; // no syslog, no kernel to ask
    }
    out += fmt::format("# HELP luatrail_{} {}\n# TYPE luatrail_{} {}\n", metric.name, metric.help, metric.name,
                       metric.type);
    if (metric.label == nullptr) {
        out += fmt::format("luatrail_{} {}\n", metric.name, number_at(value, metric.pointer));
        return;
    }
    for (const auto& [key, count] : value[where].items()) {
        out += fmt::format("luatrail_{}{{{}=\"{}\"}} {}\n", metric.name, metric.label, key, count.dump());
    }
}

void add_lag(std::string& out, const Json& value) {
    constexpr double second = 1000;
    out += "# HELP luatrail_lag_seconds From the kernel's stamp of an event to its judgement.\n"
           "# TYPE luatrail_lag_seconds histogram\n";
    const auto& lag = value.at("lag");
    for (const auto& bucket : lag.at("buckets")) {
        out += fmt::format("luatrail_lag_seconds_bucket{{le=\"{}\"}} {}\n",
                           bucket.at("ms_at_most").get<double>() / second, bucket.at("events").dump());
    }
    out += fmt::format(
        "luatrail_lag_seconds_bucket{{le=\"+Inf\"}} {}\nluatrail_lag_seconds_sum {}\nluatrail_lag_seconds_count {}\n",
        lag.at("events").dump(), lag.at("sum_ms").get<double>() / second, lag.at("events").dump());
}

// "3 low, 40 high"; "none".
std::string listed(const Json& counts) {
    std::string out;
    for (const auto& [key, count] : counts.items()) {
        if (count.is_number() && count != 0) {
            out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count.dump(), base::printable(key));
        }
    }
    return out.empty() ? "none" : out;
}

double mebibytes(std::uint64_t bytes) {
    return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

std::string at_most(const Json& ms) {
    return ms.is_number() ? fmt::format("{} ms", ms.dump()) : std::string("beyond 30 s");
}

template <class Make>
std::string guarded(std::string_view json, Make make) {
    const auto value = parse(json);
    try {
        return make(value);
    } catch (const Json::exception& error) {
        throw base::Error(fmt::format("a status that another version of luatrail wrote ({}); use the version that runs",
                                      error.what()));
    }
}

} // namespace

void Lag::add(std::int64_t ms) {
    newest_ms_ = std::max<std::int64_t>(ms, 0); // the kernel's stamp may be finer than our clock
    const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), newest_ms_);
    ++counts_.at(static_cast<std::size_t>(bound - bounds.begin()));
    ++total_;
    sum_ms_ += newest_ms_;
}

std::string to_json(const Status& status) {
    const auto& engine = status.engine;
    Json out;
    out["schema"] = schema;
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
    out["look_ups"] = {
        {"done", status.look_ups.done}, {"late", status.look_ups.late}, {"skipped", status.look_ups.skipped}};
    out["lag"] = lag_value(status.lag);
    constexpr int indent = 2;
    return out.dump(indent) + "\n";
}

std::string status_prometheus(std::string_view json) {
    return guarded(json, [](const Json& value) {
        std::string out =
            fmt::format("# HELP luatrail_info The plugin that runs.\n# TYPE luatrail_info gauge\n"
                        "luatrail_info{{version=\"{}\"}} 1\n"
                        "# HELP luatrail_start_time_seconds When it was started, since 1970.\n"
                        "# TYPE luatrail_start_time_seconds gauge\nluatrail_start_time_seconds {}\n"
                        "# HELP luatrail_up 1 while it means to go on.\n# TYPE luatrail_up gauge\nluatrail_up {}\n",
                        text_at(value, "/version"), static_cast<double>(time_at(value, "/started")) / 1000,
                        value.at("ended").get<bool>() ? 0 : 1);
        for (const auto& metric : metrics) {
            add_metric(out, value, metric);
        }
        add_lag(out, value);
        return out;
    });
}

std::string status_text(std::string_view json, std::int64_t wall_clock_ms) {
    return guarded(json, [wall_clock_ms](const Json& value) {
        const auto n = [&value](const char* pointer) { return number_at(value, pointer); };
        const auto written = time_at(value, "/written");
        const bool ended = value.at("ended").get<bool>();
        std::string out = fmt::format("plugin     pid {}, version {}, {}\n", n("/pid"), text_at(value, "/version"),
                                      text_at(value, "/config"));
        out += fmt::format("uptime     {}, since {}; these numbers are {} old\n",
                           base::duration_text(written - time_at(value, "/started")), text_at(value, "/started"),
                           base::duration_text(std::max<std::int64_t>(wall_clock_ms - written, 0)));
        out += ended ? "           it has ended\n" : "";
        out += fmt::format("read       {} records, {} bytes; malformed lines: {}\n", n("/records"), n("/bytes"),
                           listed(value.at("malformed")));
        out += fmt::format("events     {} judged, {} in flight; execs: {}, failed {}\n", n("/events/judged"),
                           n("/events/in_flight"), n("/events/execs"), n("/events/failed_execs"));
        out += fmt::format("lua        runs: {}, of them expected: {}; calls that run no code: {}\n", n("/lua/runs"),
                           n("/lua/expected"), n("/lua/without_code"));
        out +=
            fmt::format("findings   {}; counted into an equal one: {}\n", listed(value.at("findings")), n("/repeats"));
        if (value.at("syslog").is_object()) {
            out += fmt::format("syslog     {} sent, {} wait, {} dropped, {} reconnects\n", n("/syslog/sent"),
                               n("/syslog/queued"), n("/syslog/dropped"), n("/syslog/reconnects"));
        } else {
            out += "syslog     off\n";
        }
        out += fmt::format(
            "lost       records by the kernel: {}; events that never came: {}, closed early: {}; findings: {}\n",
            n("/lost/kernel"), n("/lost/missing"), n("/lost/room"), n("/lost/syslog"));
        out += fmt::format("evicted    {}\n", listed(value.at("evicted")));
        if (value.at("kernel").is_object()) {
            out += fmt::format("kernel     backlog {} of {}, lost {} since it was last reset; auditd is {}\n",
                               n("/kernel/backlog"), n("/kernel/backlog_limit"), n("/kernel/lost"),
                               n("/kernel/auditd_pid"));
        } else {
            out += "kernel     not asked\n";
        }
        const auto& lag = value.at("lag");
        out += lag.at("events") == 0
                   ? std::string("lag        no event of this host yet\n")
                   : fmt::format("lag        newest event {} ms; half within {}, 99 % within {}\n", n("/lag/newest_ms"),
                                 at_most(lag.at("p50_ms_at_most")), at_most(lag.at("p99_ms_at_most")));
        out += fmt::format("look-ups   {}\n", listed(value.at("look_ups")));
        out +=
            fmt::format("memory     {:.1f} of {:.0f} MiB in tables: {} processes {:.1f} MiB, {} files {:.1f} MiB; "
                        "resident {:.1f} MiB\n",
                        mebibytes(n("/memory/tables")), mebibytes(n("/memory/limit")), n("/tables/entries/processes"),
                        mebibytes(n("/tables/bytes/processes")), n("/tables/entries/files"),
                        mebibytes(n("/tables/bytes/files")), mebibytes(n("/memory/resident")));
        return out;
    });
}

StatusWriter status_writer(std::string_view json, std::int64_t wall_clock_ms) {
    StatusWriter writer;
    guarded(json, [&](const Json& value) {
        writer.pid = static_cast<std::uint32_t>(number_at(value, "/pid"));
        writer.ended = value.at("ended").get<bool>();
        constexpr std::int64_t grace = 3; // turns
        writer.late = wall_clock_ms - time_at(value, "/written") > grace * value.at("every_ms").get<std::int64_t>();
        return std::string();
    });
    return writer;
}

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm"); // proc(5): size and resident, in pages
    std::size_t size = 0;
    std::size_t resident = 0;
    file >> size >> resident;
    return file ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

} // namespace luatrail::plugin
