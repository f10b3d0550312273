// Bytes of unknown encoding made safe to show. Every byte of a log may be an attacker's.
#pragma once

#include <string>
#include <string_view>

namespace luatrail::base {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

// Each maximal invalid subpart becomes U+FFFD (Unicode 15, section 3.9).
std::string to_utf8(std::string_view bytes);

// Lower-case hex of the bytes.
std::string to_hex(std::string_view bytes);

// Valid UTF-8 without control characters (C0, DEL, C1), bidirectional overrides and other invisible format
// characters: those are written as \n, \t, \x1b, \u202e. A backslash stays as it is. Safe for a terminal.
std::string printable(std::string_view bytes);

// printable(), quoted for a POSIX shell where needed, so that a command line can be read (not: executed).
std::string shell_quoted(std::string_view argument);

// The last path component; "" for "" and "/".
std::string_view basename(std::string_view path);

// fnmatch-like glob over bytes: * (does not match '/'), ** (matches '/' too), ?, [a-z], [!a]; backslash escapes. Linear in practice:
// no exponential backtracking. The whole text must match.
bool glob_match(std::string_view pattern, std::string_view text);

} // namespace luatrail::base
