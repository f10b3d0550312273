#include "luatrail/plugin/status_page.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "luatrail/base/time.hpp"
#include "plugin/status_value.hpp"

namespace luatrail::plugin {
namespace {

// "3 low, 40 high"; "none".
std::string listed(const StatusValue& status, const char* pointer) {
    std::string out;
    for (const auto& [key, count] : status.counts(pointer)) {
        if (count != 0) {
            out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, key);
        }
    }
    return out.empty() ? "none" : out;
}

double mebibytes(std::uint64_t bytes) {
    return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

std::string at_most(const StatusValue& status, const char* pointer) {
    return status.has(pointer) ? fmt::format("{} ms", status.number(pointer)) : std::string("beyond 30 s");
}

std::string syslog_line(const StatusValue& status) {
    return !status.has("/syslog") ? std::string("syslog     off\n")
                                  : fmt::format("syslog     {} sent, {} wait, {} dropped, {} reconnects\n",
                                                status.number("/syslog/sent"), status.number("/syslog/queued"),
                                                status.number("/syslog/dropped"), status.number("/syslog/reconnects"));
}

std::string kernel_line(const StatusValue& status) {
    return !status.has("/kernel")
               ? std::string("kernel     not asked\n")
               : fmt::format("kernel     backlog {} of {}, lost {} since it was last reset; auditd is {}\n",
                             status.number("/kernel/backlog"), status.number("/kernel/backlog_limit"),
                             status.number("/kernel/lost"), status.number("/kernel/auditd_pid"));
}

std::string lag_line(const StatusValue& status) {
    return status.number("/lag/events") == 0
               ? std::string("lag        no event of this host yet\n")
               : fmt::format("lag        newest event {} ms; half within {}, 99 % within {}\n",
                             status.number("/lag/newest_ms"), at_most(status, "/lag/p50_ms_at_most"),
                             at_most(status, "/lag/p99_ms_at_most"));
}

std::string memory_line(const StatusValue& status) {
    const auto n = [&status](const char* pointer) { return status.number(pointer); };
    return fmt::format("memory     {:.1f} of {:.0f} MiB in tables: {} processes {:.1f} MiB, {} files {:.1f} MiB; "
                       "resident {:.1f} MiB\n",
                       mebibytes(n("/memory/tables")), mebibytes(n("/memory/limit")), n("/tables/entries/processes"),
                       mebibytes(n("/tables/bytes/processes")), n("/tables/entries/files"),
                       mebibytes(n("/tables/bytes/files")), mebibytes(n("/memory/resident")));
}

std::string privileges_line(const StatusValue& status) {
    if (!status.has("/privileges")) {
        return {}; // of an older version
    }
    auto out = fmt::format("privileges user {}, system calls {}, writes {}; helpers:", status.text("/privileges/user"),
                           status.number("/privileges/seccomp") != 0 ? "limited" : "not limited",
                           status.number("/privileges/landlock") != 0 ? "limited" : "not limited");
    const auto helpers = status.counts("/helpers");
    for (const auto& [name, lives] : helpers) {
        out += fmt::format(" {} {}", name, lives != 0 ? "lives" : "HAS ENDED");
    }
    return out + (helpers.empty() ? " none\n" : "\n");
}

} // namespace

std::string status_text(std::string_view json, std::int64_t wall_clock_ms) {
    const StatusValue status(json);
    const auto n = [&status](const char* pointer) { return status.number(pointer); };
    const auto written = status.time_ms("/written");
    std::string out =
        fmt::format("plugin     pid {}, version {}, {}\n", n("/pid"), status.text("/version"), status.text("/config"));
    out += fmt::format("uptime     {}, since {}; these numbers are {} old\n",
                       base::duration_text(written - status.time_ms("/started")), status.text("/started"),
                       base::duration_text(std::max<std::int64_t>(wall_clock_ms - written, 0)));
    out += status.flag("/ended") ? "           it has ended\n" : "";
    out += fmt::format("read       {} records, {} bytes; malformed lines: {}\n", n("/records"), n("/bytes"),
                       listed(status, "/malformed"));
    out += fmt::format("events     {} judged, {} in flight; execs: {}, failed {}\n", n("/events/judged"),
                       n("/events/in_flight"), n("/events/execs"), n("/events/failed_execs"));
    out += fmt::format("lua        runs: {}, of them expected: {}; calls that run no code: {}\n", n("/lua/runs"),
                       n("/lua/expected"), n("/lua/without_code"));
    out += fmt::format("findings   {}; counted into an equal one: {}\n", listed(status, "/findings"), n("/repeats"));
    out += syslog_line(status);
    out += fmt::format(
        "lost       records by the kernel: {}; events that never came: {}, closed early: {}; findings: {}\n",
        n("/lost/kernel"), n("/lost/missing"), n("/lost/room"), n("/lost/syslog"));
    out += fmt::format("evicted    {}\n", listed(status, "/evicted"));
    out += kernel_line(status);
    out += lag_line(status);
    out += fmt::format("look-ups   {}\n", listed(status, "/look_ups"));
    out += privileges_line(status);
    return out + memory_line(status);
}

StatusWriter status_writer(std::string_view json, std::int64_t wall_clock_ms) {
    constexpr std::int64_t grace = 3; // turns
    const StatusValue status(json);
    const auto every_ms = static_cast<std::int64_t>(status.number("/every_ms"));
    return {static_cast<std::uint32_t>(status.number("/pid")), status.flag("/ended"),
            wall_clock_ms - status.time_ms("/written") > grace * every_ms};
}

} // namespace luatrail::plugin
