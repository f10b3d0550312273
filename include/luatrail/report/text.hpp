// A finding for a person.
#pragma once

#include <cstddef>
#include <string>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

struct TextStyle {
    bool colour = false;    // ANSI SGR; the caller decides by terminal and NO_COLOR
    std::size_t width = 80; // columns, at least 40; a word that is wider stays whole
};

// What, who, how it got there, in which process tree, why this severity, how to look further (the ausearch commands).
// Several lines, ends in a newline. Control characters and bidirectional overrides from the log never come out raw. Any
// one text is shown up to 2000 bytes, any list up to 20 entries; what is left out is counted.
std::string to_text(const detect::Finding& finding, const TextStyle& style);

} // namespace luatrail::report
