// Findings as bytes: JSON (schema luatrail/finding/1, docs/finding.schema.json) and text for a person.
#pragma once

#include <string>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

// One line of JSON without line end, keys in the order of the schema. Bytes that are not UTF-8 become U+FFFD, with the raw
// bytes beside as "<key>_hex" (for arrays of strings: "argv_hex" with null for elements that were fine).
std::string to_json(const detect::Finding& finding);

struct TextStyle {
    bool colour = false; // ANSI SGR; the caller decides by terminal and NO_COLOR
    std::size_t width = 80;
};

// What, who, how it got there, in which process tree, why this severity, how to look further (the ausearch commands). Several lines, ends in a newline.
// Control characters and bidirectional overrides from the log never come out raw.
std::string to_text(const detect::Finding& finding, const TextStyle& style);

struct SyslogFormat {
    enum class Kind { rfc5424, cee } kind = Kind::rfc5424;
    int facility = 10; // authpriv
    std::string hostname = "-", app_name = "luatrail";
    std::string procid = "-";
    std::size_t max_bytes = 8192;
};

// One RFC 5424 message: PRI, TIMESTAMP of the finding, MSGID "finding", structured data [luatrail@32473? see docs/design.md id= severity= ...] and the
// finding's JSON as MSG (UTF-8 without BOM where rsyslog's local parser would choke on it: see the .cpp). Severity: critical 2, high 3 (err)... see the .cpp's table.
// A longer finding is shortened field by field (ancestors' argv, argv's middle, inline text, ancestors, reasons' text, events' tail), never cut in the middle, and carries
// "shortened": [names of what was shortened].
std::string to_syslog(const detect::Finding& finding, const SyslogFormat& format);

} // namespace luatrail::report
