// pacman's local database: a directory a package with "desc" and "files" (alpm_local(5)) and a compressed "mtree"
// (mtree(5)).
#include "inventory/pacman.hpp"

#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "luatrail/base/inflate.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::inventory {
namespace {

const std::string database = "/var/lib/pacman/local";
constexpr std::size_t most_mtree = 64UL * 1024 * 1024;

// "%NAME%" and the lines below it, up to an empty one.
std::unordered_map<std::string, std::vector<std::string>> sections_of(std::string_view text) {
    std::unordered_map<std::string, std::vector<std::string>> sections;
    std::vector<std::string>* section = nullptr;
    for (const auto line : base::lines(text)) {
        if (line.size() > 2 && line.front() == '%' && line.back() == '%') {
            section = &sections[std::string(line.substr(1, line.size() - 2))];
        } else if (line.empty()) {
            section = nullptr;
        } else if (section != nullptr) {
            section->emplace_back(line);
        }
    }
    return sections;
}

std::string first_of(const std::unordered_map<std::string, std::vector<std::string>>& sections, const char* name) {
    const auto found = sections.find(name);
    return found == sections.end() || found->second.empty() ? std::string() : found->second.front();
}

// "lua54>=5.4.0" without its version.
std::string without_version(const std::string& text) {
    return text.substr(0, text.find_first_of("=<>"));
}

// "\040" and the like in mtree's names.
std::string from_octal_escapes(std::string_view name) {
    std::string out;
    for (std::size_t at = 0; at < name.size(); ++at) {
        const auto digits = name.substr(at + 1, 3);
        if (name[at] == '\\' && digits.size() == 3 && digits.find_first_not_of("01234567") == std::string_view::npos) {
            out += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
            at += 3;
        } else {
            out += name[at];
        }
    }
    return out;
}

// "./usr/bin/lua time=... sha256digest=HEX"
std::unordered_map<std::string, std::string> digests_of(std::string_view mtree) {
    std::unordered_map<std::string, std::string> digests;
    constexpr std::string_view key = " sha256digest=";
    for (const auto line : base::lines(mtree)) {
        const auto digest = line.find(key);
        if (!line.starts_with("./") || digest == std::string_view::npos) {
            continue;
        }
        const auto value = line.substr(digest + key.size());
        digests[from_octal_escapes(line.substr(1, line.find(' ') - 1))] = value.substr(0, value.find(' '));
    }
    return digests;
}

} // namespace

bool read_pacman(const Root& root, Listing& listing, Complaints& complaints) {
    const auto names = root.list(database);
    if (names.empty()) {
        return false;
    }
    for (const auto& name : names) {
        const auto desc = root.read(fmt::format("{}/{}/desc", database, name));
        if (!desc) {
            if (name != "ALPM_DB_VERSION") {
                complaints.add(fmt::format("{}/{}/desc", database, name), "not there");
            }
            continue;
        }
        const auto facts = sections_of(*desc);
        ListedPackage package;
        package.name = first_of(facts, "NAME");
        package.version = first_of(facts, "VERSION");
        package.architecture = first_of(facts, "ARCH");
        if (package.name.empty()) {
            complaints.add(fmt::format("{}/{}/desc", database, name), "no package's name");
            continue;
        }
        if (const auto depends = facts.find("DEPENDS"); depends != facts.end()) {
            for (const auto& one : depends->second) {
                package.depends.push_back({without_version(one)});
            }
        }
        if (const auto provides = facts.find("PROVIDES"); provides != facts.end()) {
            for (const auto& one : provides->second) {
                package.provides.push_back(without_version(one));
            }
        }
        const auto mtree = root.read(fmt::format("{}/{}/mtree", database, name)).value_or("");
        const auto digests = digests_of(base::inflated(mtree, most_mtree));
        const auto files = sections_of(root.read(fmt::format("{}/{}/files", database, name)).value_or(""));
        std::set<std::string> edited; // "etc/lsyncd.conf" and its digest, which a change does not alter
        if (const auto backup = files.find("BACKUP"); backup != files.end()) {
            for (const auto& one : backup->second) {
                edited.insert(one.substr(0, one.find('\t')));
            }
        }
        if (const auto list = files.find("FILES"); list != files.end()) {
            for (const auto& path : list->second) {
                if (!path.ends_with('/')) {
                    const auto digest = edited.contains(path) ? digests.end() : digests.find("/" + path);
                    package.files.push_back({"/" + path, digest == digests.end() ? std::string() : digest->second});
                }
            }
        }
        listing.packages.push_back(std::move(package));
    }
    return true;
}

} // namespace luatrail::inventory
