// Digests in lower-case hex, by libcrypto.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace luatrail::base {

enum class DigestKind { md5, sha1, sha256 };

// Nothing where libcrypto does not compute the kind: a policy may forbid MD5.
std::optional<std::string> digest_hex(DigestKind kind, std::string_view bytes);

// Throws Error in that case: without SHA-256 nothing works.
std::string sha256_hex(std::string_view bytes);

// The same of bytes that come in pieces.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void add(std::string_view bytes);
    std::string hex(); // once, at the end

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

} // namespace luatrail::base
