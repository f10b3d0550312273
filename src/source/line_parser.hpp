// Single lines, read the same by both parsers.
#pragma once

#include <string_view>

#include "luatrail/source/parser.hpp"

namespace luatrail::source {

// One line without its line end (a trailing CR is tolerated). Returns true and fills `record`, whose
// views show `line`; or false and sets `reason`. Accepts:
//   [node=N ]type=T msg=audit(S.mmm:serial): BODY      auditd's log and plugin feed
//   the same with "host=" in place of "node="          audispd of 2008
//   the same with "audit(" in place of "msg=audit("    netlink and kmsg texts
//   the same behind a relay's prefix: syslog (RFC 3164 and 5424, with any tag), dmesg "[ 12.34] audit: ", /dev/kmsg
//   "6,1,2,-;audit: ", journal. A record without a node's name gets the host that syslog names.
// T may be a number. S may have fewer than nine digits (a clock that stands at 1970), mmm fewer than three; the colon
// may be missing and blanks may be doubled. 0x1D begins the enriched half. Text that merely contains such a record
// inside of another message's free text is refused. Zeros around a line are passed over.
bool parse_line(std::string_view line, audit::Record& record, Malformed& reason);

// The same of a line whose carriage returns are cut off already: one that ends the raw half is the record's own.
bool parse_bare_line(std::string_view line, audit::Record& record, Malformed& reason);

// A relay may add a carriage return to one that was there.
inline std::string_view without_line_end(std::string_view line) {
    while (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

// Counts one line and reports it when it is malformed. True when `record` was filled.
inline bool read_line(std::string_view line, const NodeNaming& naming, ParserCounters& counters, RecordSink& sink,
                      audit::Record& record) {
    line = without_line_end(line);
    if (line.empty()) {
        return false;
    }
    ++counters.lines;
    Malformed reason{};
    if (parse_bare_line(line, record, reason)) {
        ++counters.records;
        if (record.relayed && !naming.by_relay) {
            record.node = {};
        }
        if (record.node.empty()) {
            record.node = naming.otherwise;
        }
        return true;
    }
    ++counters.malformed[static_cast<std::size_t>(reason)];
    sink.on_malformed(reason, line);
    return false;
}

inline void refuse_too_long(std::string_view start, ParserCounters& counters, RecordSink& sink) {
    ++counters.lines;
    ++counters.malformed[static_cast<std::size_t>(Malformed::too_long)];
    sink.on_malformed(Malformed::too_long, start);
}

} // namespace luatrail::source
