// Bytes in, records out. Two implementations of one meaning: luatrail's own zero-copy parser, and
// libauparse's feed (AUSOURCE_FEED). A differential test holds them equal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "luatrail/audit/record.hpp"

namespace luatrail::source {

// Why a line is not a record. Malformed input is data: counted by reason, never fatal.
enum class Malformed : std::uint8_t {
    no_record,    // no "type=... msg=audit(...)" in the line
    bad_stamp,    // audit( without SECONDS.MILLIS:SERIAL)
    interpreted,  // `ausearch -i` output: its stamp is a local date; use `ausearch --raw`
    too_long,     // longer than max_line; skipped up to its newline
    nul_byte,     // a NUL inside the line
    utf16,        // text of two bytes a character; convert it: iconv -f UTF-16 -t UTF-8
    journal_text, // journalctl's own text has no event's number; use `journalctl -o export _TRANSPORT=audit`
};
inline constexpr std::size_t malformed_count = 7;
std::string_view to_string(Malformed reason); // "no-record", "bad-stamp", ...

// The longest line that is read. The kernel's own limit for one record is 8970 bytes; enriched
// and relayed lines are longer ("up to 64 KiB and more").
inline constexpr std::size_t max_line = 1024UL * 1024;

struct ParserCounters {
    std::uint64_t bytes = 0;
    std::uint64_t lines = 0; // non-empty ones
    std::uint64_t records = 0;
    std::array<std::uint64_t, malformed_count> malformed{};
    std::uint64_t recovered = 0; // libauparse only: records that it dropped, delivered nevertheless
    std::uint64_t malformed_total() const;
};

// Receives what a parser finds, in the order of the input.
class RecordSink {
  public:
    virtual ~RecordSink() = default;
    virtual void on_record(const audit::Record& record) = 0;
    // `line` has no line end; it may be cut when the reason is too_long.
    virtual void on_malformed(Malformed reason, std::string_view line) = 0;
};

// Whose a record is that does not say so itself ("node=").
struct NodeNaming {
    bool by_relay = true;  // the host's that syslog or the journal put before it
    std::string otherwise; // where there is none, either
};

class Parser {
  public:
    virtual ~Parser() = default;
    // From the next line on.
    virtual void name_nodes(NodeNaming naming) = 0;
    // Any chunking of the same bytes yields the same records. A line that lies whole inside of
    // `chunk` is not copied by the native parser.
    virtual void feed(std::string_view chunk) = 0;
    // Live only: lets libauparse release events that aged (about once a second). No effect natively.
    virtual void age() {}
    // End of one input: the last line counts although it has no newline. The parser can be fed again
    // (the next file); an event may go on there.
    virtual void finish() = 0;
    virtual const ParserCounters& counters() const = 0;
};

enum class ParserKind : std::uint8_t { native, auparse };

// `sink` outlives the parser. Throws base::Error when libauparse can't be initialised.
std::unique_ptr<Parser> make_parser(ParserKind kind, RecordSink& sink);

} // namespace luatrail::source
