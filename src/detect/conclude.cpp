#include "detect/conclude.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/detect/severity.hpp"

namespace luatrail::detect {
namespace {

std::string digest(std::string_view text) {
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr); // EVP_sha256() is looked up each time
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), hash.data(), &size, sha256, nullptr) != 1) {
        throw base::Error("libcrypto does not compute SHA-256; check its configuration (openssl.cnf)");
    }
    return base::to_hex({reinterpret_cast<const char*>(hash.data()), 8});
}

} // namespace

bool conclude(const Node& node, std::string_view kind, Finding& finding) {
    const auto severity = severity_of(finding.expectation.verdict, chained_with(finding));
    if (!severity) {
        return false;
    }
    finding.severity = *severity;
    for (const auto& entry : finding.chain) {
        if (std::find(finding.events.begin(), finding.events.end(), entry.event) == finding.events.end()) {
            finding.events.push_back(entry.event);
        }
    }
    std::string named = node.name;
    for (const auto& event : finding.events) {
        named.append(1, '\0').append(audit::to_string(event));
    }
    finding.id = digest(named.append(1, '\0').append(kind));
    return true;
}

} // namespace luatrail::detect
