#include "luatrail/audit/field.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include <libaudit.h>

namespace luatrail::audit {
bool is_lost(std::string_view value) {
    return value == "<too_long>" || value == "<no_memory>";
}

namespace {

constexpr bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '[' || c == ']';
}

constexpr auto name_table = [] {
    std::array<bool, 256> table{};
    for (int c = 0; c < 256; ++c) {
        table[static_cast<std::size_t>(c)] = is_name_char(static_cast<char>(c));
    }
    return table;
}();

const char* find(const char* at, const char* end, char wanted) {
    const auto* found = static_cast<const char*>(std::memchr(at, wanted, static_cast<std::size_t>(end - at)));
    return found == nullptr ? end : found;
}

// Eight bytes at once, the first in the lowest place.
std::uint64_t load(const char* at) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    return std::endian::native == std::endian::little ? bytes : __builtin_bswap64(bytes);
}

constexpr std::uint64_t each = 0x0101010101010101;

// The place of the first `wanted` in `bytes`; 8 when there is none. Subtracting 1 from each byte sets the highest bit
// of those that were 0 (Warren, Hacker's Delight, 6-1); above the first match the bits may lie.
unsigned place_of(std::uint64_t bytes, char wanted) {
    const auto zero = bytes ^ (each * static_cast<unsigned char>(wanted));
    const auto marks = (zero - each) & ~zero & (each << 7U);
    return static_cast<unsigned>(std::countr_zero(marks)) / 8;
}

// Values are mostly shorter than a call of memchr is worth.
const char* find_blank(const char* at, const char* end) {
    for (int tries = 0; tries < 3 && end - at >= 8; ++tries) {
        const auto place = place_of(load(at), ' ');
        at += place;
        if (place < 8) {
            return at;
        }
    }
    return at == end ? end : find(at, end, ' ');
}

// The length of the name that begins at `at`, and its code. Of short names only the end is looked for: whoever asks for
// a code gets none that is not spelled like it.
std::size_t name_length(const char* at, const char* end, std::uint64_t& code) {
    if (end - at >= 8) {
        const auto bytes = load(at);
        const auto length = place_of(bytes, '=');
        code = length < 8 ? bytes & ((std::uint64_t{1} << (8 * length)) - 1) : 0;
        if (length < 8 && place_of(code, ' ') == 8) {
            return length;
        }
    }
    const char* start = at;
    while (at != end && name_table[static_cast<unsigned char>(*at)]) {
        ++at;
    }
    const auto length = static_cast<std::size_t>(at - start);
    code = name_code({start, length});
    return length;
}

// The end of the value that begins at `at`. A viewer that dropped the 0x1D leaves the enriched half glued to "(null)"
// or to a closing quote: both end a value.
const char* value_end(const char* at, const char* end, bool& cut) {
    cut = false;
    if (at == end) {
        return end;
    }
    char closing = ' ';
    switch (*at) {
    case '"':
    case '\'':
        closing = *at;
        break;
    case '{':
        closing = '}';
        break;
    case '(': {
        constexpr std::string_view null_value = "(null)";
        if (std::string_view(at, static_cast<std::size_t>(end - at)).starts_with(null_value)) {
            return at + null_value.size();
        }
        break;
    }
    default:
        break;
    }
    const char* found = closing == ' ' ? find_blank(at, end) : find(at + 1, end, closing);
    cut = found == end;
    return cut || closing == ' ' ? found : found + 1;
}

constexpr int hex_digit(char c) { // the kernel writes upper case only (hex_byte_pack_upper)
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_nothing(std::string_view value) {
    return value == "(null)" || value == "(none)" || value == "?" || is_lost(value);
}

// Fields that the kernel, auditd or user space write as untrusted strings in every record type (lib/audit_logging.c's
// audit_encode_nv_string and kernel's audit_log_untrustedstring and audit_log_d_path callers).
constexpr std::array untrusted_fields = {
    std::string_view{"acct"}, std::string_view{"cmd"},    std::string_view{"comm"},  std::string_view{"cwd"},
    std::string_view{"data"}, std::string_view{"device"}, std::string_view{"dir"},   std::string_view{"exe"},
    std::string_view{"file"}, std::string_view{"name"},   std::string_view{"ocomm"}, std::string_view{"path"},
    std::string_view{"sw"},   std::string_view{"vm"},     std::string_view{"watch"},
};
constexpr std::array number_fields = {
    std::string_view{"argc"},  std::string_view{"auid"},  std::string_view{"egid"},  std::string_view{"euid"},
    std::string_view{"exit"},  std::string_view{"fsgid"}, std::string_view{"fsuid"}, std::string_view{"gid"},
    std::string_view{"inode"}, std::string_view{"item"},  std::string_view{"items"}, std::string_view{"ogid"},
    std::string_view{"ouid"},  std::string_view{"pid"},   std::string_view{"ppid"},  std::string_view{"ses"},
    std::string_view{"sgid"},  std::string_view{"sig"},   std::string_view{"suid"},  std::string_view{"syscall"},
    std::string_view{"uid"},
};

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& sorted, std::string_view name) {
    return std::binary_search(sorted.begin(), sorted.end(), name);
}

bool is_argument(std::string_view field) { // a0, a12, a1[3]; not a1_len
    if (field.size() < 2 || field.front() != 'a' || field[1] < '0' || field[1] > '9') {
        return false;
    }
    return field.find_first_not_of("0123456789[]", 1) == std::string_view::npos;
}

} // namespace

bool FieldReader::next(Field& field) {
    for (;;) {
        while (at_ != end_ && *at_ == ' ') {
            ++at_;
        }
        if (at_ == end_) {
            return false;
        }
        const char* name = at_;
        const auto length = name_length(name, end_, field.code);
        at_ += length;
        if (length == 0 || at_ == end_ || *at_ != '=') {
            at_ = find(at_, end_, ' ');
            continue;
        }
        field.name = {name, length};
        const char* value = ++at_;
        at_ = value_end(value, end_, field.cut);
        field.value = {value, static_cast<std::size_t>(at_ - value)};
        return true;
    }
}

Encoding encoding_of(RecordType type, std::string_view field) {
    if (is_argument(field)) {
        return type == AUDIT_EXECVE ? Encoding::untrusted : Encoding::hex_number;
    }
    if (field == "key") {
        return Encoding::key;
    }
    if (field == "proctitle") {
        return Encoding::proctitle;
    }
    if (field == "mode") {
        return Encoding::octal;
    }
    if (field == "arch") {
        return Encoding::hex_number;
    }
    if ((field == "dev" || field == "rdev") && type == AUDIT_PATH) {
        return Encoding::device;
    }
    if (contains(untrusted_fields, field)) {
        return Encoding::untrusted;
    }
    return contains(number_fields, field) ? Encoding::number : Encoding::text;
}

std::optional<std::string_view> decode_untrusted(std::string_view value, std::string& scratch, bool cut) {
    if (!value.empty() && value.front() == '"') {
        value.remove_prefix(1);
        if (!value.empty() && value.back() == '"') {
            value.remove_suffix(1);
        }
        return value;
    }
    if (is_nothing(value) || (cut && !value.empty() && std::string_view("(null)").starts_with(value))) {
        return std::nullopt;
    }
    const bool odd = value.size() % 2 != 0;
    if (value.size() < 2 || (odd && !cut)) {
        return value;
    }
    scratch.resize(value.size() / 2);
    for (std::size_t i = 0; i < scratch.size(); ++i) {
        const int high = hex_digit(value[2 * i]);
        const int low = hex_digit(value[2 * i + 1]);
        if (high < 0 || low < 0) {
            return value;
        }
        scratch[i] = static_cast<char>(high * 16 + low);
    }
    if (odd && hex_digit(value.back()) < 0) {
        return value;
    }
    return scratch;
}

std::optional<std::string_view> unquoted(std::string_view value) {
    if (is_nothing(value)) {
        return std::nullopt;
    }
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
        return value.substr(1, value.size() - 2);
    }
    return value;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view value) {
    std::uint64_t number = 0;
    const auto* last = value.data() + value.size();
    const auto [end, error] = std::from_chars(value.data(), last, number);
    return error == std::errc{} && end == last ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> parse_decimal(std::string_view value) {
    std::int64_t number = 0;
    if (value.size() - 1 < 18) { // 1 to 18 characters: no sign and no overflow in nearly all
        std::size_t at = 0;
        for (; at < value.size() && value[at] >= '0' && value[at] <= '9'; ++at) {
            number = number * 10 + (value[at] - '0');
        }
        if (at == value.size()) {
            return number;
        }
    }
    const auto* last = value.data() + value.size();
    const auto [end, error] = std::from_chars(value.data(), last, number);
    if (error != std::errc{} || end != last) {
        return std::nullopt;
    }
    return number;
}

// Of numbers, which may have either case; -1: none.
static constexpr auto hex_digits = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (int digit = 0; digit < 16; ++digit) {
        table[static_cast<unsigned char>("0123456789abcdef"[digit])] = static_cast<std::int8_t>(digit);
        table[static_cast<unsigned char>("0123456789ABCDEF"[digit])] = static_cast<std::int8_t>(digit);
    }
    return table;
}();

std::optional<std::uint64_t> parse_hex(std::string_view value) {
    if (value.starts_with("0x")) { // SECCOMP's code=, half-interpreted logs
        value.remove_prefix(2);
    }
    std::uint64_t number = 0;
    constexpr std::size_t most_digits = 16;
    if (value.empty() || value.size() > most_digits) { // more of them are zeros, or too many
        const auto* last = value.data() + value.size();
        const auto [end, error] = std::from_chars(value.data(), last, number, 16);
        return error == std::errc{} && end == last ? std::optional(number) : std::nullopt;
    }
    for (const char c : value) {
        const auto digit = hex_digits[static_cast<unsigned char>(c)];
        if (digit < 0) {
            return std::nullopt;
        }
        number = number << 4U | static_cast<std::uint64_t>(digit);
    }
    return number;
}

} // namespace luatrail::audit
