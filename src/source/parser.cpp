#include "luatrail/source/parser.hpp"

#include <numeric>

#include "source/auparse_parser.hpp"
#include "source/journal_parser.hpp"
#include "source/native_parser.hpp"

namespace luatrail::source {

std::string_view to_string(Malformed reason) {
    static constexpr std::array<std::string_view, malformed_count> names{
        "no-record", "bad-stamp", "interpreted", "too-long", "nul-byte", "utf-16", "journal-text"};
    return names.at(static_cast<std::size_t>(reason));
}

std::uint64_t ParserCounters::malformed_total() const {
    return std::accumulate(malformed.begin(), malformed.end(), std::uint64_t{0});
}

std::unique_ptr<Parser> make_parser(ParserKind kind, RecordSink& sink) {
    return read_journal_too(kind == ParserKind::native ? make_native_parser(sink) : make_auparse_parser(sink));
}

} // namespace luatrail::source
