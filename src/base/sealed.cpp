#include "luatrail/base/sealed.hpp"

#include <fmt/format.h>

#include "luatrail/base/digest.hpp"

namespace luatrail::base {

std::string seal_line(const Seal& seal, std::string_view bytes) {
    return fmt::format("luatrail {} {} {} {}\n", seal.kind, seal.version, bytes.size(), sha256_hex(bytes));
}

Sealed check_seal(const Seal& seal, std::string_view content, std::string_view& rest) {
    const auto end = content.find('\n');
    if (end == std::string_view::npos || !content.starts_with(fmt::format("luatrail {} ", seal.kind))) {
        return Sealed::foreign;
    }
    if (!content.starts_with(fmt::format("luatrail {} {} ", seal.kind, seal.version))) {
        return Sealed::other_version;
    }
    const auto bytes = content.substr(end + 1);
    if (content.substr(0, end + 1) != seal_line(seal, bytes)) {
        return Sealed::altered;
    }
    rest = bytes;
    return Sealed::whole;
}

} // namespace luatrail::base
