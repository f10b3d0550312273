// Findings and notices as syslog messages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

// The least that SyslogFormat::max_bytes can ask for: what the barest finding needs behind the longest header.
inline constexpr std::size_t least_syslog_bytes = 2560;

struct SyslogFormat {
    enum class Kind { rfc5424, cee } kind = Kind::rfc5424;
    int facility = 10; // authpriv
    std::string hostname = "-", app_name = "luatrail";
    std::string procid = "-";
    // rsyslog 8 cuts what is longer than its maxMessageSize, whose built-in default is 8096 bytes (not the 8192 one
    // reads about).
    std::size_t max_bytes = 8096; // a smaller value than least_syslog_bytes counts as that
};

// One syslog message, without line end. Plain ASCII (other characters are \uXXXX in the JSON), so that it is the same
// bytes through every relay, and RFC 5424's question of a byte order mark does not arise. The finding's JSON is its
// end, from the first '{' on: nothing from the log stands before it.
//
// rfc5424:  <PRI>1 TIME HOSTNAME APP-NAME PROCID finding [luatrail@32473 id="..." severity="..." verdict="..."
// origin="..." profile="..." uid="33"] {JSON}
//           TIME is the finding's. 32473 is the enterprise number that IANA keeps for examples (RFC 5612); luatrail has
//           none of its own.
// cee:      <PRI>Nov 25 02:00:10 APP-NAME[PROCID]: @cee: {JSON}
//           as syslog(3) writes to the local socket: RFC 3164's local time, no host name.
//
// What a local rsyslog makes of them (tests/report/rsyslog_test.sh asks it): with imuxsock as distributions load it,
// the JSON arrives whole both ways, but rfc5424's "1" is taken for the tag (imuxsock's special parser reads RFC 3164
// only); with UseSpecialParser="off" both are taken apart properly.
//
// PRI's severity: info 6 (informational), low 5 (notice), medium 4 (warning), high 3 (error), critical 2 (critical).
//
// A longer finding is shortened field by field, never cut in the middle: ancestors' argv, argv's middle, inline text,
// ancestors, reasons, events, chain, then any other text; each mildly first, then harder. What is left out of a text
// or an argv is marked "[...N bytes...]" or "[...N arguments...]", lists lose their tail, and "shortened" names the
// keys.
std::string to_syslog(const detect::Finding& finding, const SyslogFormat& format);

// How many findings of each severity (info first) were lost on the way to syslog, and the times of the first and the
// last of them.
struct LostFindings {
    std::array<std::uint64_t, 5> by_severity{};
    std::int64_t first_ms = 0, last_ms = 0;
};

// The message that reports them: MSGID "dropped", PRI of the worst one lost but at least warning, and as JSON
// {"schema":"luatrail/dropped/1","dropped":{"info":0,...,"critical":1},"first":TIME,"last":TIME}.
std::string to_syslog(const LostFindings& lost, const SyslogFormat& format);

// What a reader of findings must know beside them: that luatrail, or the audit before it, could not see everything.
struct Notice {
    std::string kind; // "lost-records": stable
    std::int64_t time_ms = 0;
    std::optional<std::string> node;
    std::string text, remedy; // a sentence each
    std::vector<std::pair<std::string, std::uint64_t>> counts;
};

// MSGID "notice", PRI warning, structured data [luatrail@32473 kind="..."], and as JSON
// {"schema":"luatrail/notice/1","kind":...,"time":TIME,"node":...,"text":...,"remedy":...,"counts":{NAME:n,...}}.
std::string to_syslog(const Notice& notice, const SyslogFormat& format);

} // namespace luatrail::report
