// The fields of a record's text, and their encodings.
//
// Grammar (audit-userspace's "Audit event parsing" and the kernel's audit_log_* functions): NAME=VALUE separated by
// blanks. A value that begins with a quote runs to the next quote of its kind, one that begins with a brace to the
// closing brace, any other to the next blank. AppArmor breaks it (`subj==unconfined`, `subj==/usr/sbin/ntpd
// (enforce)`): the second `=` belongs to the value, and words without `=` are skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "luatrail/audit/record.hpp"

namespace luatrail::audit {

// A name of up to eight bytes as a number, its first byte the lowest, so that a reader can switch over names; 0 for a
// longer one.
constexpr std::uint64_t name_code(std::string_view name) {
    std::uint64_t code = 0;
    if (name.size() <= sizeof code) {
        for (std::size_t at = name.size(); at > 0; --at) {
            code = (code << 8U) | static_cast<unsigned char>(name[at - 1]);
        }
    }
    return code;
}

// Views into the text that the reader walks.
struct Field {
    std::string_view name;
    std::string_view value; // quotes included, as written
    std::uint64_t code = 0; // name_code(name)
    bool cut = false;       // a quote or brace that never closes, or a value that the text's end may have cut
};

// Walks the fields of one text in order. Never allocates; ends at the end of the text whatever the text is.
class FieldReader {
  public:
    explicit FieldReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}
    bool next(Field& field);

  private:
    const char* at_;
    const char* end_;
};

// How a field's value is written, by record type and name: "a0" is an address in SYSCALL and a string in EXECVE.
enum class Encoding : std::uint8_t {
    text,       // literal, perhaps quoted
    number,     // decimal
    hex_number, // hexadecimal without 0x
    octal,      // mode
    device,     // MAJOR:MINOR in hex
    untrusted,  // audit_log_untrustedstring(): "quoted" is literal, unquoted is upper-case hex
    key,        // untrusted; several keys are joined by 0x01
    proctitle,  // untrusted; words are joined by NUL, cut at 128 bytes
};
Encoding encoding_of(RecordType type, std::string_view field);

// What the kernel writes in place of a path that does not fit or for which it has no memory (audit_log_d_path).
bool is_lost(std::string_view value);

// An untrusted string's bytes. `(null)`, `(none)`, `?` and what is lost are nothing. Quoted: what stands between the
// quotes, shown as a view of `value`. Unquoted upper-case hex of even length: decoded into `scratch`. Anything else
// (lower-case hex, half-interpreted logs): as it is. Hex of odd length that the end of its record cut (`cut`): the
// whole pairs.
std::optional<std::string_view> decode_untrusted(std::string_view value, std::string& scratch, bool cut = false);

// A literal value without its quotes; nothing for the same.
std::optional<std::string_view> unquoted(std::string_view value);

std::optional<std::int64_t> parse_decimal(std::string_view value);
// The same without a sign, up to 2^64 - 1 (inodes).
std::optional<std::uint64_t> parse_unsigned(std::string_view value);
std::optional<std::uint64_t> parse_hex(std::string_view value);

} // namespace luatrail::audit
