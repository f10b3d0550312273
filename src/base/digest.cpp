#include "luatrail/base/digest.hpp"

#include <array>

#include <openssl/evp.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"

namespace luatrail::base {
namespace {

// EVP_sha256() and the like are looked up at each use, which takes longer than a short text's digest.
const EVP_MD* fetched(DigestKind kind) {
    static const std::array<const EVP_MD*, 3> all{EVP_MD_fetch(nullptr, "MD5", nullptr),
                                                  EVP_MD_fetch(nullptr, "SHA1", nullptr),
                                                  EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    return all[static_cast<std::size_t>(kind)];
}

void require(bool done) {
    if (!done) {
        throw Error("libcrypto does not compute SHA-256; check its configuration (openssl.cnf)");
    }
}

} // namespace

std::optional<std::string> digest_hex(DigestKind kind, std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const auto* const type = fetched(kind);
    if (type == nullptr || EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, type, nullptr) != 1) {
        return std::nullopt;
    }
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string sha256_hex(std::string_view bytes) {
    auto digest = digest_hex(DigestKind::sha256, bytes);
    require(digest.has_value());
    return std::move(*digest);
}

struct Sha256::Context {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> evp{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    const auto* const type = fetched(DigestKind::sha256);
    require(type != nullptr && EVP_DigestInit_ex(context_->evp.get(), type, nullptr) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
    require(EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(context_->evp.get(), digest.data(), &size) == 1);
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

} // namespace luatrail::base
