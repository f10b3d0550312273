#include "luatrail/plugin/status_prometheus.hpp"

#include <fmt/format.h>

#include "plugin/status_value.hpp"

namespace luatrail::plugin {
namespace {

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
    {"helper_up", "gauge", "1 while the child process answers.", "/helpers", "helper"},
};

void add_metric(std::string& out, const StatusValue& status, const Metric& metric) {
    if (!status.has(metric.pointer)) {
        return; // no syslog, no kernel to ask
    }
    out += fmt::format("# HELP luatrail_{} {}\n# TYPE luatrail_{} {}\n", metric.name, metric.help, metric.name,
                       metric.type);
    if (metric.label == nullptr) {
        out += fmt::format("luatrail_{} {}\n", metric.name, status.number(metric.pointer));
        return;
    }
    for (const auto& [key, count] : status.counts(metric.pointer)) {
        out += fmt::format("luatrail_{}{{{}=\"{}\"}} {}\n", metric.name, metric.label, key, count);
    }
}

void add_lag(std::string& out, const StatusValue& status) {
    constexpr double second = 1000;
    out += "# HELP luatrail_lag_seconds From the kernel's stamp of an event to its judgement.\n"
           "# TYPE luatrail_lag_seconds histogram\n";
    for (const auto& [ms_at_most, events] : status.buckets()) {
        out += fmt::format("luatrail_lag_seconds_bucket{{le=\"{}\"}} {}\n", static_cast<double>(ms_at_most) / second,
                           events);
    }
    const auto total = status.number("/lag/events");
    out += fmt::format(
        "luatrail_lag_seconds_bucket{{le=\"+Inf\"}} {}\nluatrail_lag_seconds_sum {}\nluatrail_lag_seconds_count {}\n",
        total, static_cast<double>(status.number("/lag/sum_ms")) / second, total);
}

} // namespace

std::string status_prometheus(std::string_view json) {
    const StatusValue status(json);
    constexpr double second = 1000;
    std::string out =
        fmt::format("# HELP luatrail_info The plugin that runs.\n# TYPE luatrail_info gauge\n"
                    "luatrail_info{{version=\"{}\"}} 1\n"
                    "# HELP luatrail_start_time_seconds When it was started, since 1970.\n"
                    "# TYPE luatrail_start_time_seconds gauge\nluatrail_start_time_seconds {}\n"
                    "# HELP luatrail_up 1 while it means to go on.\n# TYPE luatrail_up gauge\nluatrail_up {}\n",
                    status.text("/version"), static_cast<double>(status.time_ms("/started")) / second,
                    status.flag("/ended") ? 0 : 1);
    for (const auto& metric : metrics) {
        add_metric(out, status, metric);
    }
    add_lag(out, status);
    return out;
}

} // namespace luatrail::plugin
