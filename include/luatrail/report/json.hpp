// A finding as a line of JSON: the schema luatrail/finding/1 (docs/finding.schema.json).
#pragma once

#include <cstddef>
#include <string>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

// One line of JSON without line end, keys in the order of the schema. Bytes that are not UTF-8 become U+FFFD, with the
// raw bytes beside as "<key>_hex" (for arrays of strings: "argv_hex" with null for elements that were fine). Controls,
// DEL, C1, bidirectional overrides and other characters that do not show are \uXXXX: the line is safe for a terminal.
// Longer than most_json_bytes it is shortened as to_syslog() does it: a command line of megabytes is no line for
// anybody. Never throws on content.
inline constexpr std::size_t most_json_bytes = 256UL * 1024;
std::string to_json(const detect::Finding& finding);

} // namespace luatrail::report
