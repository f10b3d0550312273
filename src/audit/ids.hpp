// Ids in records: a process, a user, a session.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "luatrail/audit/field.hpp"

namespace luatrail::audit {

constexpr std::uint32_t unset_id = 4294967295; // auid and ses of what no login started

inline std::optional<std::uint32_t> id_of(std::string_view value) {
    const auto number = parse_decimal(value);
    if (!number || *number < -1 || *number > unset_id) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*number); // old auditds print unset as -1
}

// Where a viewer wrote a name in a user's place, one is known.
inline std::optional<std::uint32_t> user_id_of(std::string_view value) {
    return value == "root" ? 0U : id_of(value);
}

inline std::optional<std::uint32_t> set_id_of(std::string_view value) {
    const auto id = id_of(value);
    return id == unset_id ? std::nullopt : id;
}

} // namespace luatrail::audit
