#include "luatrail/report/syslog.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "report/finding_json.hpp"

namespace luatrail::report {
namespace {

using detect::Finding;
using detect::Severity;

// RFC 5424, table 2. Nothing of ours is an emergency or an alert: those wake people by their own rules.
int syslog_severity(Severity severity) {
    constexpr std::array<int, 5> numbers{6, 5, 4, 3, 2};
    return numbers.at(static_cast<std::size_t>(severity));
}

// A header field: printable US-ASCII without blanks, not empty, no longer than the grammar allows.
std::string header_field(std::string_view text, std::size_t limit) {
    std::string out(text.substr(0, limit));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c <= 0x20 || c >= 0x7f || c == '{'; }, '_');
    return out.empty() ? "-" : out;
}

// RFC 5424, 6.3.3: a quote, a backslash and a closing bracket take a backslash. Kept short, and kept ASCII for the
// reasons in syslog.hpp.
std::string parameter(std::string_view name, std::string_view value) {
    constexpr std::size_t longest = 64;
    std::string out = fmt::format(" {}=\"", name);
    for (const char c : value.substr(0, longest)) {
        const bool shown = c >= 0x20 && c < 0x7f && c != '{'; // the first '{' of the message begins the JSON
        if (c == '"' || c == '\\' || c == ']') {
            out += '\\';
        }
        out += shown ? c : '_';
    }
    return out + "\"";
}

std::string structured_data(const Finding& finding) {
    std::string out = "[luatrail@32473";
    out += parameter("id", finding.id);
    out += parameter("severity", to_string(finding.severity));
    out += parameter("verdict", to_string(finding.expectation.verdict));
    out += parameter("origin", to_string(finding.code.origin));
    out += parameter("profile", finding.interpreter.profile);
    if (finding.process.uid) {
        out += parameter("uid", fmt::to_string(*finding.process.uid));
    }
    return out + "]";
}

// "Nov 25 02:00:10", "Nov  5 02:00:10": RFC 3164, 4.1.2, in the host's own zone, which is what a local receiver
// assumes.
std::string rfc3164_time(std::int64_t ms) {
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds = static_cast<std::time_t>(ms / 1000);
    std::tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) {
        local = std::tm{}; // a year beyond int: any time does, receivers put their own
        local.tm_mday = 1;
    }
    return fmt::format("{} {:>2} {:02}:{:02}:{:02}", months.at(static_cast<std::size_t>(local.tm_mon)), local.tm_mday,
                       local.tm_hour, local.tm_min, local.tm_sec);
}

struct Envelope {
    int severity;
    std::int64_t time_ms;
    std::string_view msgid;
    std::string structured_data;
};

std::string start_of(const Envelope& envelope, const SyslogFormat& format) {
    const int priority = std::clamp(format.facility, 0, 23) * 8 + envelope.severity;
    if (format.kind == SyslogFormat::Kind::cee) {
        const auto procid = header_field(format.procid, 128);
        return fmt::format("<{}>{} {}{}: @cee: ", priority, rfc3164_time(envelope.time_ms),
                           header_field(format.app_name, 32), procid == "-" ? "" : "[" + procid + "]");
    }
    return fmt::format("<{}>1 {} {} {} {} {} {} ", priority, base::iso_time(envelope.time_ms),
                       header_field(format.hostname, 255), header_field(format.app_name, 48),
                       header_field(format.procid, 128), envelope.msgid, envelope.structured_data);
}

} // namespace

std::string to_syslog(const Finding& finding, const SyslogFormat& format) {
    const auto start =
        start_of({syslog_severity(finding.severity), finding.time_ms, "finding", structured_data(finding)}, format);
    const auto room = std::max(format.max_bytes, least_syslog_bytes) - start.size();
    return start + json_within(finding, room, Characters::ascii);
}

std::string to_syslog(const LostFindings& lost, const SyslogFormat& format) {
    Json dropped;
    auto worst = Severity::medium;
    for (std::size_t at = 0; at < lost.by_severity.size(); ++at) {
        const auto severity = static_cast<Severity>(at);
        dropped[std::string(to_string(severity))] = lost.by_severity.at(at);
        if (lost.by_severity.at(at) > 0) {
            worst = std::max(worst, severity);
        }
    }
    Json value;
    value["schema"] = "luatrail/dropped/1";
    value["dropped"] = std::move(dropped);
    value["first"] = base::iso_time(lost.first_ms);
    value["last"] = base::iso_time(lost.last_ms);
    return start_of({syslog_severity(worst), lost.last_ms, "dropped", "-"}, format) +
           json_line(value, Characters::ascii);
}

std::string to_syslog(const Notice& notice, const SyslogFormat& format) {
    Json counts = Json::object();
    for (const auto& [name, count] : notice.counts) {
        counts[name] = count;
    }
    Json value;
    value["schema"] = "luatrail/notice/1";
    put_text(value, "kind", notice.kind);
    value["time"] = base::iso_time(notice.time_ms);
    put_optional(value, "node", notice.node);
    put_text(value, "text", notice.text);
    put_text(value, "remedy", notice.remedy);
    value["counts"] = std::move(counts);
    return start_of({syslog_severity(Severity::medium), notice.time_ms, "notice",
                     "[luatrail@32473" + parameter("kind", notice.kind) + "]"},
                    format) +
           json_line(value, Characters::ascii);
}

} // namespace luatrail::report
