#include "luatrail/base/sealed.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "luatrail/base/text.hpp"

namespace luatrail::base {

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

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
