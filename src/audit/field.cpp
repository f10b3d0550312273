#include "luatrail/audit/field.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <libaudit.h>

namespace luatrail::audit {
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

// The length of the value that `text` begins with. A viewer that dropped the 0x1D leaves the enriched half glued to
// "(null)" or to a closing quote: both end a value.
std::size_t value_length(std::string_view text, bool& cut) {
    if (text.empty()) {
        return 0;
    }
    const char first = text.front();
    if (first == '"' || first == '\'') {
        const auto end = text.find(first, 1);
        cut = end == std::string_view::npos;
        return cut ? text.size() : end + 1;
    }
    if (first == '{') {
        const auto end = text.find('}', 1);
        cut = end == std::string_view::npos;
        return cut ? text.size() : end + 1;
    }
    constexpr std::string_view null_value = "(null)";
    if (text.starts_with(null_value)) {
        return null_value.size();
    }
    const auto end = text.find(' ');
    cut = end == std::string_view::npos;
    return cut ? text.size() : end;
}

constexpr int hex_digit(char c) { // the kernel writes upper case only (hex_byte_pack_upper)
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_nothing(std::string_view value) {
    return value == "(null)" || value == "(none)" || value == "?";
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
        const auto start = rest_.find_first_not_of(' ');
        if (start == std::string_view::npos) {
            rest_ = {};
            return false;
        }
        rest_.remove_prefix(start);
        std::size_t length = 0;
        while (length < rest_.size() && name_table[static_cast<unsigned char>(rest_[length])]) {
            ++length;
        }
        if (length == 0 || length == rest_.size() || rest_[length] != '=') {
            const auto blank = rest_.find(' ', length);
            rest_ = blank == std::string_view::npos ? std::string_view{} : rest_.substr(blank);
            continue;
        }
        field.name = rest_.substr(0, length);
        rest_.remove_prefix(length + 1);
        field.cut = false;
        const auto value = value_length(rest_, field.cut);
        field.value = rest_.substr(0, value);
        rest_.remove_prefix(value);
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
    if (is_nothing(value)) {
        return std::nullopt;
    }
    const bool odd = value.size() % 2 != 0;
    if (value.size() < 2 || (odd && !cut)) {
        return value;
    }
    scratch.clear();
    scratch.reserve(value.size() / 2);
    for (std::size_t i = 0; i + 1 < value.size(); i += 2) {
        const int high = hex_digit(value[i]);
        const int low = hex_digit(value[i + 1]);
        if (high < 0 || low < 0) {
            return value;
        }
        scratch.push_back(static_cast<char>(high * 16 + low));
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

std::optional<std::int64_t> parse_decimal(std::string_view value) {
    std::int64_t number = 0;
    const auto* last = value.data() + value.size();
    const auto [end, error] = std::from_chars(value.data(), last, number);
    if (error != std::errc{} || end != last) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::uint64_t> parse_hex(std::string_view value) {
    if (value.starts_with("0x")) { // SECCOMP's code=, half-interpreted logs
        value.remove_prefix(2);
    }
    std::uint64_t number = 0;
    const auto* last = value.data() + value.size();
    const auto [end, error] = std::from_chars(value.data(), last, number, 16);
    if (error != std::errc{} || end != last) {
        return std::nullopt;
    }
    return number;
}

} // namespace luatrail::audit
