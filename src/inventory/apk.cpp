// apk's database of installed packages: lines "LETTER:value", packages parted by an empty line, files behind their
// directory.
#include "inventory/apk.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "luatrail/base/text.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::inventory {
namespace {

// "Q1" and a SHA-1, or "Q2" and a SHA-256, in base64 (apk-package(5)). Nothing where it is neither.
std::optional<std::string> digest_of(std::string_view value) {
    constexpr std::size_t sha1 = 20, sha256 = 32, longest = 44;
    const std::size_t size = value.starts_with("Q1") ? sha1 : value.starts_with("Q2") ? sha256 : 0;
    const auto text = value.substr(std::min<std::size_t>(value.size(), 2));
    std::array<unsigned char, longest> bytes{};
    if (size == 0 || text.size() != (size + 2) / 3 * 4 ||
        EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size())) < static_cast<int>(size)) {
        return std::nullopt;
    }
    return base::to_hex({reinterpret_cast<const char*>(bytes.data()), size});
}

// What an administrator edits: apk keeps it through upgrades (apk-protected_paths(5), whose default is "etc").
bool is_protected(std::string_view path) {
    return path.starts_with("/etc/");
}

// "so:liblua.so.5=5.4.6 lua5.4>5 !conflict": names without versions, and without what must not be there.
std::vector<std::string> names_of(std::string_view text) {
    std::vector<std::string> names;
    for (const auto one : base::words(text)) {
        if (const auto name = one.substr(0, one.find_first_of("=<>~")); !name.empty() && name.front() != '!') {
            names.emplace_back(name);
        }
    }
    return names;
}

} // namespace

bool read_apk(const Root& root, Listing& listing, Complaints& complaints) {
    std::string place = "/lib/apk/db/installed";
    auto text = root.read(place);
    if (!text) {
        place = "/usr/lib/apk/db/installed"; // Alpine 3.23 and later
        text = root.read(place);
    }
    if (!text) {
        return false;
    }
    ListedPackage package;
    std::string directory;
    const auto finish = [&] {
        if (!package.name.empty()) {
            listing.packages.push_back(std::move(package));
        }
        package = {};
        directory.clear();
    };
    std::size_t number = 0;
    for (const auto line : base::lines(*text)) {
        ++number;
        if (line.empty()) {
            finish();
            continue;
        }
        if (line.size() < 2 || line[1] != ':') {
            complaints.add(fmt::format("{}:{}", place, number), "no field");
            continue;
        }
        const auto value = line.substr(2);
        switch (line[0]) {
        case 'P':
            package.name = value;
            break;
        case 'V':
            package.version = value;
            break;
        case 'A':
            package.architecture = value;
            break;
        case 'D':
            for (auto& name : names_of(value)) {
                package.depends.push_back({std::move(name)});
            }
            break;
        case 'p':
            package.provides = names_of(value);
            break;
        case 'F':
            directory = value;
            break;
        case 'R':
            package.files.push_back({fmt::format("/{}{}{}", directory, directory.empty() ? "" : "/", value), {}});
            break;
        case 'Z':
            if (!package.files.empty() && !is_protected(package.files.back().path)) {
                const auto digest = digest_of(value);
                package.files.back().digest = digest.value_or("");
                if (!digest) {
                    complaints.add(fmt::format("{}:{}", place, number), "a digest of a kind that is not known");
                }
            }
            break;
        default:
            break; // of no use here
        }
    }
    finish();
    return true;
}

} // namespace luatrail::inventory
