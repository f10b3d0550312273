// Bytes in, records out. Two implementations of one meaning: luatrail's own zero-copy parser, and
// libauparse's feed (AUSOURCE_FEED). A differential test holds them equal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "luatrail/audit/record.hpp"

namespace luatrail::source {

// Why a line is not a record. Malformed input is data: counted by reason, never fatal.
enum class Malformed : std::uint8_t {
    no_record,   // no "type=... msg=audit(...)" in the line
    bad_stamp,   // audit( without SECONDS.MILLIS:SERIAL)
    interpreted, // `ausearch -i` output: its stamp is a local date; use `ausearch --raw`
    too_long,    // longer than max_line; skipped up to its newline
    nul_byte,    // a NUL inside the line
};
inline constexpr std::size_t malformed_count = 5;
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

class Parser {
  public:
    virtual ~Parser() = default;
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

// One line without its line end (a trailing CR is tolerated). Returns true and fills `record`, whose
// views show `line`; or false and sets `reason`. Accepts:
//   [node=N ]type=T msg=audit(S.mmm:serial): BODY      auditd's log and plugin feed
//   the same with "host=" in place of "node="          audispd of 2008
//   the same with "audit(" in place of "msg=audit("    netlink and kmsg texts
//   the same behind a known relay's prefix: syslog (RFC 3164/5424 with the tags audispd, auditd,
//   audisp-syslog, audit, kernel), dmesg "[ 12.34] audit: ", /dev/kmsg "6,1,2,-;audit: ", journal
// T may be a number. S may have fewer than nine digits (a clock that stands at 1970), mmm fewer than three; the colon
// may be missing and blanks may be doubled. 0x1D begins the enriched half. Text that merely contains such a record
// inside of another message's free text is refused. A tag is only as trustworthy as the relay that wrote it: whoever
// may write to /dev/log can choose one (`logger -t audispd`).
bool parse_line(std::string_view line, audit::Record& record, Malformed& reason);

} // namespace luatrail::source
