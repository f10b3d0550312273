#include "luatrail/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace luatrail::base {
namespace {

struct Range {
    char32_t first, last;
};

// What hides() answers for, in order. Beside the controls these are Unicode's general category Cf and the property
// Default_Ignorable_Code_Point, rounded up to whole ranges.
constexpr std::array<Range, 29> hidden{{
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},   {0x08e2, 0x08e2},
    {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
}};

// How a lead byte goes on: RFC 3629, section 4. The second byte's range is what keeps overlong forms, surrogates and
// everything above U+10FFFF out; a lead of length 0 starts nothing.
struct Lead {
    std::size_t length;
    unsigned char second_low, second_high;
    unsigned char bits;
};

Lead lead_of(unsigned char byte) {
    if (byte < 0xc2 || byte > 0xf4) {
        return {0, 0, 0, 0};
    }
    if (byte < 0xe0) {
        return {2, 0x80, 0xbf, static_cast<unsigned char>(byte & 0x1fU)};
    }
    if (byte < 0xf0) {
        const unsigned char low = byte == 0xe0 ? 0xa0 : 0x80;
        const unsigned char high = byte == 0xed ? 0x9f : 0xbf;
        return {3, low, high, static_cast<unsigned char>(byte & 0x0fU)};
    }
    const unsigned char low = byte == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = byte == 0xf4 ? 0x8f : 0xbf;
    return {4, low, high, static_cast<unsigned char>(byte & 0x07U)};
}

void append_escape(std::string& out, char32_t character) {
    const auto value = static_cast<std::uint32_t>(character);
    switch (value) {
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        break;
    }
    if (value < 0x80) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", value);
    } else if (value < 0x10000) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", value);
    } else {
        fmt::format_to(std::back_inserter(out), "\\U{:08x}", value);
    }
}

void append_stray_bytes(std::string& out, std::string_view bytes) {
    for (const char byte : bytes) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
    }
}

// How many bytes from `at` on are ASCII that shows as itself: mostly all of them.
std::size_t plain_run(std::string_view bytes, std::size_t at) {
    const auto* first = bytes.data() + at;
    const auto* last = bytes.data() + bytes.size();
    const auto* end = std::find_if(first, last, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte >= 0x7f;
    });
    return static_cast<std::size_t>(end - first);
}

// `escape_quotes`: for the inside of $'...', where a backslash and a quote must not be read as themselves.
std::string escaped(std::string_view bytes, bool escape_quotes) {
    std::string out;
    out.reserve(bytes.size() + 8);
    for (std::size_t at = 0; at < bytes.size();) {
        if (const auto plain = escape_quotes ? 0 : plain_run(bytes, at); plain != 0) {
            out += bytes.substr(at, plain);
            at += plain;
            continue;
        }
        const Utf8Step step = utf8_step(bytes, at);
        const auto piece = bytes.substr(at, step.length);
        if (!step.valid) {
            append_stray_bytes(out, piece);
        } else if (hides(step.character)) {
            append_escape(out, step.character);
        } else {
            if (escape_quotes && (piece == "\\" || piece == "'")) {
                out += '\\';
            }
            out += piece;
        }
        at += step.length;
    }
    return out;
}

constexpr auto unquoted_bytes = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

bool needs_no_quotes(char byte) {
    return unquoted_bytes[static_cast<unsigned char>(byte)];
}

} // namespace

Utf8Step utf8_step(std::string_view bytes, std::size_t at) {
    constexpr char32_t replacement = 0xfffd;
    const auto byte_at = [&](std::size_t index) { return static_cast<unsigned char>(bytes[index]); };
    if (byte_at(at) < 0x80) {
        return {byte_at(at), 1, true};
    }
    const Lead lead = lead_of(byte_at(at));
    if (lead.length == 0) {
        return {replacement, 1, false};
    }
    char32_t character = lead.bits;
    for (std::size_t taken = 1; taken < lead.length; ++taken) {
        if (at + taken >= bytes.size()) {
            return {replacement, taken, false};
        }
        const unsigned char low = taken == 1 ? lead.second_low : 0x80;
        const unsigned char high = taken == 1 ? lead.second_high : 0xbf;
        const unsigned char byte = byte_at(at + taken);
        if (byte < low || byte > high) {
            return {replacement, taken, false};
        }
        character = (character << 6U) | (byte & 0x3fU);
    }
    return {character, lead.length, true};
}

bool hides(char32_t character) {
    if (character >= 0x20 && character < 0x7f) {
        return false;
    }
    if ((character & 0xfffeU) == 0xfffeU) {
        return true; // the last two of every plane are noncharacters
    }
    const auto* const after = std::upper_bound(hidden.begin(), hidden.end(), character,
                                               [](char32_t value, const Range& range) { return value < range.first; });
    return after != hidden.begin() && character <= std::prev(after)->last;
}

bool is_utf8(std::string_view bytes) {
    for (std::size_t at = plain_run(bytes, 0); at < bytes.size();) {
        const Utf8Step step = utf8_step(bytes, at);
        if (!step.valid) {
            return false;
        }
        at += step.length;
    }
    return true;
}

std::string to_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        const Utf8Step step = utf8_step(bytes, at);
        out += step.valid ? bytes.substr(at, step.length) : std::string_view("\xef\xbf\xbd");
        at += step.length;
    }
    return out;
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char signed_byte : bytes) {
        const auto byte = static_cast<unsigned char>(signed_byte);
        out += digits[byte >> 4U];
        out += digits[byte & 0x0fU];
    }
    return out;
}

std::string printable(std::string_view bytes) {
    return escaped(bytes, false);
}

std::string shell_quoted(std::string_view argument) {
    if (!argument.empty() && std::all_of(argument.begin(), argument.end(), needs_no_quotes)) {
        return std::string(argument);
    }
    if (const std::string shown = printable(argument); shown != argument) {
        return "$'" + escaped(argument, true) + "'";
    }
    std::string out = "'";
    for (const char byte : argument) {
        if (byte == '\'') {
            out += R"('\'')";
        } else {
            out += byte;
        }
    }
    return out + "'";
}

std::string_view basename(std::string_view path) {
    const auto last = path.find_last_not_of('/');
    if (last == std::string_view::npos) {
        return {};
    }
    path = path.substr(0, last + 1);
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

} // namespace luatrail::base
