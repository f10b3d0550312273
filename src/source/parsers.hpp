// The two implementations of source::Parser, and the reading of single lines that they share.
#pragma once

#include <memory>

#include "luatrail/source/parser.hpp"

namespace luatrail::source {

std::unique_ptr<Parser> make_native_parser(RecordSink& sink);
std::unique_ptr<Parser> make_auparse_parser(RecordSink& sink);

// parse_line() for a line whose carriage returns are cut off already: one that ends the raw half is the record's own.
bool parse_bare_line(std::string_view line, audit::Record& record, Malformed& reason);

// A relay may add a carriage return to one that was there.
inline std::string_view without_line_end(std::string_view line) {
    while (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

// Counts one line and reports it when it is malformed. True when `record` was filled.
inline bool read_line(std::string_view line, ParserCounters& counters, RecordSink& sink, audit::Record& record) {
    line = without_line_end(line);
    if (line.empty()) {
        return false;
    }
    ++counters.lines;
    Malformed reason{};
    if (parse_bare_line(line, record, reason)) {
        ++counters.records;
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
