// Bytes of unknown encoding made safe to show. Every byte of a log may be an attacker's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace luatrail::base {

// One step through bytes that may be UTF-8: a character, or a maximal invalid subpart (Unicode 15, section 3.9).
struct Utf8Step {
    char32_t character = 0; // U+FFFD where `valid` is false
    std::size_t length = 0; // bytes, at least 1
    bool valid = false;
};

// `at` is less than bytes.size().
Utf8Step utf8_step(std::string_view bytes, std::size_t at);

// A character that a terminal may act on, or that does not show and so can make a text look like another: C0, DEL, C1,
// line and paragraph separators, bidirectional controls, zero-width and other default-ignorable characters,
// noncharacters.
bool hides(char32_t character);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

// Each maximal invalid subpart becomes U+FFFD (Unicode 15, section 3.9).
std::string to_utf8(std::string_view bytes);

// Lower-case hex of the bytes.
std::string to_hex(std::string_view bytes);

// Valid UTF-8 without any character that hides(): those are written as \n, \r, \t, \x1b, \u202e, \U000e0001, and bytes
// that are not UTF-8 as \xff (two digits always mean a byte below 0x80 or a stray one; C1 is \u0085). A backslash stays
// as it is. Safe for a terminal.
std::string printable(std::string_view bytes);

// printable(), quoted for a shell where needed, so that a command line can be read: 'a b', and $'a\nb' where
// printable() had to escape something, which bash and zsh read back as the same bytes.
std::string shell_quoted(std::string_view argument);

// The last path component, without slashes at its end ("/a/b/" is "b"); "" for "" and "/".
std::string_view basename(std::string_view path);

} // namespace luatrail::base
