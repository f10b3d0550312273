// Catch2 2 (Debian 12) and 3 (Debian 13) under one name.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define LUATRAIL_CATCH_CONTAINS Catch::Matchers::ContainsSubstring
#else
#include <catch2/catch.hpp>
#define LUATRAIL_CATCH_CONTAINS Catch::Contains
#endif

namespace luatrail {

// For CHECK_THAT: a text with this part.
inline auto has_text(const std::string& part) {
    return LUATRAIL_CATCH_CONTAINS(part);
}

} // namespace luatrail

#undef LUATRAIL_CATCH_CONTAINS
