// How much of a text is kept for later: every byte of it may be an attacker's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "luatrail/host/paths.hpp"

namespace luatrail::detect {

// Of a command line so many words and bytes altogether, as much as the process table keeps; of code as many bytes; of
// any other text a path's.
inline constexpr std::size_t kept_words = 32;
inline constexpr std::size_t kept_bytes = 8192;
inline constexpr std::size_t kept_path = host::path_bytes;

inline std::string cut(std::string_view text) {
    return std::string(text.substr(0, kept_path));
}
template <class Text>
std::optional<std::string> cut(const std::optional<Text>& text) {
    return text ? std::optional(cut(std::string_view(*text))) : std::nullopt;
}

} // namespace luatrail::detect
