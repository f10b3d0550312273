#include "source/line_parser.hpp"

#include <algorithm>
#include <cstring>

#include <libaudit.h>

#include "source/line_prefix.hpp"

namespace luatrail::source {
namespace {

using std::string_view;

constexpr char enrichment_separator = '\x1d';

// Nearly all records of a log are of these; the table of all names is asked for the rest only.
audit::RecordType type_of(string_view name) {
    switch (name.size()) {
    case 3:
        return name == "CWD" ? AUDIT_CWD : name == "EOE" ? AUDIT_EOE : audit::record_type_from_name(name);
    case 4:
        return name == "PATH" ? AUDIT_PATH : audit::record_type_from_name(name);
    case 6:
        return name == "EXECVE" ? AUDIT_EXECVE : audit::record_type_from_name(name);
    case 7:
        return name == "SYSCALL" ? AUDIT_SYSCALL : audit::record_type_from_name(name);
    case 9:
        return name == "PROCTITLE" ? AUDIT_PROCTITLE : audit::record_type_from_name(name);
    default:
        return audit::record_type_from_name(name);
    }
}

// Reads forward over one line. Every function leaves the cursor where it was when it returns false.
class Cursor {
  public:
    explicit Cursor(string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

    template <std::size_t n>
    bool literal(const char (&wanted)[n]) { // its length known, comparing it is one or two instructions
        constexpr std::size_t length = n - 1;
        if (static_cast<std::size_t>(end_ - at_) < length || std::memcmp(at_, wanted, length) != 0) {
            return false;
        }
        at_ += length;
        return true;
    }

    bool blanks() {
        const char* start = at_;
        while (at_ != end_ && *at_ == ' ') {
            ++at_;
        }
        return at_ != start;
    }

    // Up to the next blank; false when there is none, or when a control character is in it.
    bool word(string_view& out) {
        const char* start = at_;
        while (at_ != end_ && static_cast<unsigned char>(*at_) > ' ') {
            ++at_;
        }
        if (at_ == end_ || *at_ != ' ') {
            at_ = start;
            return false;
        }
        out = {start, static_cast<std::size_t>(at_ - start)};
        return true;
    }

    // At most `digits` digits (19 always fit), at least one.
    bool number(std::uint64_t& out, int digits) {
        const char* start = at_;
        std::uint64_t value = 0;
        for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_) {
            if (digits-- == 0) {
                at_ = start;
                return false;
            }
            value = value * 10 + static_cast<std::uint64_t>(*at_ - '0');
        }
        out = value;
        return at_ != start;
    }

    bool at_end() const { return at_ == end_; }
    string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  private:
    const char* at_;
    const char* end_;
};

// Behind "audit(": SECONDS.MILLIS:SERIAL). Seconds have fewer than nine digits on a board whose clock starts in 1970;
// relays of Android write "0.0". A colon follows, except in DAEMON_* records of auditd 1.
bool stamp(Cursor& cursor, audit::EventId& id) {
    std::uint64_t seconds = 0;
    std::uint64_t millis = 0;
    if (!cursor.number(seconds, 11) || !cursor.literal(".") || !cursor.number(millis, 3) || !cursor.literal(":") ||
        !cursor.number(id.serial, 19) || !cursor.literal(")")) {
        return false;
    }
    id.time_ms = static_cast<std::int64_t>(seconds * 1000 + millis);
    const bool blank = cursor.blanks();
    if (!cursor.literal(":") && !blank && !cursor.at_end()) {
        return false;
    }
    cursor.blanks();
    return true;
}

// `ausearch -i` writes a date and a clock time in the locale's manner: "05/15/2019 16:28:38.510:1684".
bool is_interpreted(string_view text) {
    const auto inside = text.substr(0, text.find(')'));
    for (auto colon = inside.find(':'); colon != string_view::npos; colon = inside.find(':', colon + 1)) {
        const auto second = colon + 3;
        if (second < inside.size() && inside[second] == ':' && inside.find(' ') < colon) {
            return true;
        }
    }
    return false;
}

bool is_type_name(string_view name) {
    for (const char c : name) {
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '[' && c != ']' && c != '-') {
            return false;
        }
    }
    return !name.empty();
}

// A record from the first byte of `text` on.
bool parse_record(string_view text, audit::Record& record, Malformed& reason) {
    reason = Malformed::no_record;
    Cursor cursor(text);
    record.node = {};
    // Early audispd wrote "host=" where later ones write "node=", with the same meaning.
    if (cursor.literal("node=") || cursor.literal("host=")) {
        if (!cursor.blanks() && (!cursor.word(record.node) || !cursor.blanks())) {
            return false;
        }
    }
    if (!cursor.literal("type=") || !cursor.word(record.type_name) || !is_type_name(record.type_name)) {
        return false;
    }
    cursor.blanks();
    cursor.literal("msg="); // absent in records read from netlink or the kernel's ring buffer
    if (!cursor.literal("audit(")) {
        return false;
    }
    const auto stamped = cursor.rest();
    if (!stamp(cursor, record.id)) {
        reason = is_interpreted(stamped) ? Malformed::interpreted : Malformed::bad_stamp;
        return false;
    }
    record.type = type_of(record.type_name);
    record.body = cursor.rest();
    record.enriched = {};
    if (const auto at = record.body.find(enrichment_separator); at != string_view::npos) {
        record.enriched = record.body.substr(at + 1);
        record.body = record.body.substr(0, at);
    }
    return true;
}

// Every second byte of Latin text is 0.
bool is_utf16(string_view line) {
    std::size_t zeros = 0;
    for (std::size_t at = 0; at + 1 < line.size(); at += 2) {
        zeros += static_cast<std::size_t>((line[at] == '\0') != (line[at + 1] == '\0'));
    }
    return line.size() > 16 && zeros > line.size() * 3 / 8; // of half as many pairs
}

// "SYSCALL arch=c000003e ...": journald writes a type's name where others write "type=SYSCALL msg=audit(...):".
bool is_journal_text(string_view text) {
    const auto name = text.substr(0, text.find(' '));
    return name.size() < text.size() && text.find('=', name.size()) != string_view::npos &&
           name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == string_view::npos &&
           audit::record_type_from_name(name) != 0;
}

// Without the zeros that a crash, or a file made longer in advance, leaves before and behind a line.
string_view without_padding(string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of('\0'), line.size()));
    return line.substr(0, line.find_last_not_of('\0') + 1);
}

bool parse_text(string_view line, audit::Record& record, Malformed& reason) { // NOLINT(misc-no-recursion): once
    if (line.starts_with("type=") || line.starts_with("node=") || line.starts_with("host=")) {
        return parse_record(line, record, reason);
    }
    if (line.starts_with("\xef\xbb\xbf")) { // a byte order mark
        return parse_text(line.substr(3), record, reason);
    }
    const auto relayed = after_relay_prefix(line);
    if (!parse_record(relayed.record, record, reason)) {
        if (is_journal_text(relayed.record)) {
            reason = Malformed::journal_text;
        }
        return false;
    }
    if (record.node.empty() && !relayed.host.empty()) {
        record.node = relayed.host;
        record.relayed = true;
    }
    return true;
}

} // namespace

bool parse_bare_line(string_view line, audit::Record& record, Malformed& reason) {
    if (std::memchr(line.data(), '\0', line.size()) == nullptr) {
        return parse_text(line, record, reason);
    }
    const auto inside = without_padding(line);
    const bool whole = std::memchr(inside.data(), '\0', inside.size()) == nullptr;
    if (whole && parse_text(inside, record, reason)) {
        return true;
    }
    reason = is_utf16(inside) ? Malformed::utf16 : Malformed::nul_byte;
    return false;
}

bool parse_line(string_view line, audit::Record& record, Malformed& reason) {
    return parse_bare_line(without_line_end(line), record, reason);
}

} // namespace luatrail::source
