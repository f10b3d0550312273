// dpkg's database: var/lib/dpkg. Its files are text with simple grammars, and libdpkg declares its own interface
// volatile.
#include "inventory/dpkg.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "luatrail/base/words.hpp"

namespace luatrail::inventory {
namespace {

const std::string directory = "/var/lib/dpkg";

// A stanza of deb822(5): its fields by their lower-case names; continued lines joined with '\n'.
using Stanza = std::unordered_map<std::string, std::string>;

const std::string& field(const Stanza& stanza, const char* name) {
    static const std::string none;
    const auto found = stanza.find(name);
    return found == stanza.end() ? none : found->second;
}

template <class Take>
void read_stanzas(std::string_view text, const std::string& place, Complaints& complaints, Take take) {
    Stanza stanza;
    std::string* last = nullptr;
    std::size_t number = 0;
    std::size_t first = 1;
    const auto finish = [&] {
        if (!stanza.empty()) {
            take(stanza, fmt::format("{}:{}", place, first));
        }
        stanza.clear();
        last = nullptr;
    };
    for (const auto line : base::lines(text)) {
        ++number;
        if (base::trimmed(line).empty()) {
            finish();
            first = number + 1;
        } else if (line.front() == ' ' || line.front() == '\t') {
            if (last != nullptr) {
                *last += '\n';
                *last += base::trimmed(line);
            } else {
                complaints.add(fmt::format("{}:{}", place, number), "a continued line that continues nothing");
            }
        } else if (const auto colon = line.find(':'); colon != std::string_view::npos && colon > 0) {
            const auto name = base::lower(line.substr(0, colon));
            if (name == "package" && stanza.contains(name)) {
                complaints.add(fmt::format("{}:{}", place, number), "no empty line between two packages");
                finish();
                first = number;
            }
            last = &stanza[name];
            *last = base::trimmed(line.substr(colon + 1));
        } else {
            complaints.add(fmt::format("{}:{}", place, number), "neither a field nor the end of a stanza");
        }
    }
    finish();
}

// "install ok installed": the third word (dpkg-query(1)). A package of which only configuration files are left owns
// nothing that runs. A broken status does not make a package's files anybody's; status.d of images without dpkg has
// none.
bool has_files(std::string_view status, const std::string& place, Complaints& complaints) {
    const auto last = status.substr(status.rfind(' ') + 1);
    if (last == "not-installed" || last == "config-files") {
        return false;
    }
    constexpr std::array known{"installed",      "unpacked",         "half-configured",
                               "half-installed", "triggers-awaited", "triggers-pending"};
    if (!status.empty() && std::find(known.begin(), known.end(), last) == known.end()) {
        complaints.add(place, "a status that dpkg does not have: taken for installed");
    }
    return true;
}

// "NAME" or, of packages that can be there for several architectures, "NAME:ARCH".
std::string info_file(const Root& root, const ListedPackage& package, const char* suffix) {
    for (const auto& name : {fmt::format("{}/info/{}:{}.{}", directory, package.name, package.architecture, suffix),
                             fmt::format("{}/info/{}.{}", directory, package.name, suffix)}) {
        if (root.status(name)) {
            return name;
        }
    }
    return {};
}

// "DIGEST  PATH": the path relative to the root. Packages of others write one blank, "*" for binary, "./", SHA-256.
std::unordered_map<std::string, std::string> digests_of(std::string_view text, const std::string& place,
                                                        Complaints& complaints) {
    std::unordered_map<std::string, std::string> digests;
    std::size_t number = 0;
    for (const auto line : base::lines(text)) {
        ++number;
        const auto rest = base::trimmed(line);
        const auto end = std::min(rest.find_first_of(" \t"), rest.size());
        auto path = rest.substr(end);
        path.remove_prefix(std::min(path.find_first_not_of(" \t*"), path.size()));
        while (path.starts_with("./") || path.starts_with('/')) {
            path.remove_prefix(path.front() == '/' ? 1 : 2);
        }
        const auto digest = base::lower(rest.substr(0, end));
        const bool hex = digest.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (path.empty() || !hex || (digest.size() != 32 && digest.size() != 40 && digest.size() != 64)) {
            if (!rest.empty()) {
                complaints.add(fmt::format("{}:{}", place, number), "no digest and path");
            }
            continue;
        }
        digests["/" + std::string(path)] = digest;
    }
    return digests;
}

void read_files(const Root& root, ListedPackage& package, Complaints& complaints) {
    const auto list = info_file(root, package, "list");
    const auto text = list.empty() ? std::nullopt : root.read(list);
    if (!text) {
        complaints.add(fmt::format("{}/info/{}.list", directory, package.name),
                       "not there: what the package owns is not known");
        return;
    }
    const auto sums = info_file(root, package, "md5sums");
    const auto digests = sums.empty() ? decltype(digests_of({}, {}, complaints))()
                                      : digests_of(root.read(sums).value_or(""), sums, complaints);
    for (const auto line : base::lines(*text)) {
        if (line.size() > 1 && line.front() == '/' && line != "/.") {
            const std::string path(line);
            const auto digest = package.conffiles.contains(path) ? digests.end() : digests.find(path);
            package.files.push_back({path, digest == digests.end() ? std::string() : digest->second});
        }
    }
}

// Images without dpkg (distroless): some have dpkg's lists, others only digests beside the package's own file, and
// what these name is what there is.
void read_part(const Root& root, const std::string& file, ListedPackage& package, Complaints& complaints) {
    const auto place = file + ".md5sums";
    const auto text = root.read(place);
    if (!info_file(root, package, "list").empty() || !text) {
        read_files(root, package, complaints);
    }
    auto digests = digests_of(text.value_or(""), place, complaints);
    for (auto& file_there : package.files) {
        if (auto known = digests.extract(file_there.path)) {
            file_there.digest = known.mapped();
        }
    }
    for (auto& [path, digest] : digests) {
        package.files.push_back({path, digest});
    }
}

std::optional<ListedPackage> package_of(const Stanza& stanza, const std::string& place, Complaints& complaints) {
    ListedPackage package;
    package.name = field(stanza, "package");
    if (package.name.empty() || package.name.find('/') != std::string::npos) {
        complaints.add(place, "no package's name");
        return std::nullopt;
    }
    if (!has_files(field(stanza, "status"), place, complaints)) {
        return std::nullopt;
    }
    package.version = field(stanza, "version");
    package.architecture = field(stanza, "architecture");
    for (const auto* name : {"depends", "pre-depends"}) {
        auto groups = dependencies_of(field(stanza, name));
        std::move(groups.begin(), groups.end(), std::back_inserter(package.depends));
    }
    for (const auto line : base::lines(field(stanza, "conffiles"))) { // "/etc/x.lua MD5 obsolete"
        package.conffiles.emplace(line.substr(0, line.find(' ')));
    }
    for (auto& group : dependencies_of(field(stanza, "provides"))) {
        package.provides.push_back(std::move(group.front()));
    }
    return package;
}

// Three lines each: the path, where it went, and for which package.
void read_diversions(const Root& root, Listing& listing, Complaints& complaints) {
    const auto place = directory + "/diversions";
    const auto text = root.read(place).value_or("");
    const auto lines = base::lines(text);
    for (std::size_t at = 0; at + 2 < lines.size(); at += 3) {
        listing.diversions[std::string(lines[at])] = {std::string(lines[at + 1]), std::string(lines[at + 2])};
    }
    if (lines.size() % 3 != 0) {
        complaints.add(fmt::format("{}:{}", place, lines.size()), "a diversion that is cut");
    }
}

// update-alternatives(1): mode, the link, then pairs of a further name and its link, up to an empty line.
void read_alternatives(const Root& root, Listing& listing) {
    const auto place = directory + "/alternatives";
    for (const auto& name : root.list(place)) {
        const auto text = root.read(fmt::format("{}/{}", place, name)).value_or("");
        const auto lines = base::lines(text);
        const auto add = [&listing](std::string_view generic, std::string_view link) {
            listing.alternatives.push_back(fmt::format("/etc/alternatives/{}", generic));
            listing.alternatives.emplace_back(link);
        };
        if (lines.size() > 1) {
            add(name, lines[1]);
        }
        for (std::size_t at = 2; at + 1 < lines.size() && !lines[at].empty(); at += 2) {
            add(lines[at], lines[at + 1]);
        }
    }
}

// The database, and over it the journal of a dpkg that runs: "updates/0001" and on, whole stanzas that the status file
// has not yet.
std::vector<ListedPackage> installed(const Root& root, std::string_view status, Complaints& complaints) {
    std::vector<std::optional<ListedPackage>> packages;
    std::unordered_map<std::string, std::size_t> places;
    const auto take = [&](const Stanza& stanza, const std::string& where) {
        auto package = package_of(stanza, where, complaints);
        const auto key = field(stanza, "package") + ":" + field(stanza, "architecture");
        const auto [known, fresh] = places.emplace(key, packages.size());
        if (fresh) {
            packages.push_back(std::move(package));
        } else {
            packages[known->second] = std::move(package);
        }
    };
    read_stanzas(status, directory + "/status", complaints, take);
    for (const auto& name : root.list(directory + "/updates")) {
        if (name.find_first_not_of("0123456789") == std::string::npos) {
            const auto place = fmt::format("{}/updates/{}", directory, name);
            read_stanzas(root.read(place).value_or(""), place, complaints, take);
        }
    }
    std::vector<ListedPackage> all;
    for (auto& package : packages) {
        if (package) {
            all.push_back(std::move(*package));
        }
    }
    return all;
}

} // namespace

bool read_dpkg(const Root& root, Listing& listing, Complaints& complaints) {
    const auto place = directory + "/status";
    const auto status = root.read(place);
    const auto parts = root.list(directory + "/status.d");
    if (!status && parts.empty()) {
        return false;
    }
    for (auto& package : installed(root, status.value_or(""), complaints)) {
        read_files(root, package, complaints);
        listing.packages.push_back(std::move(package));
    }
    for (const auto& part : parts) {
        const auto file = fmt::format("{}/status.d/{}", directory, part);
        if (part.ends_with(".md5sums")) {
            continue;
        }
        read_stanzas(root.read(file).value_or(""), file, complaints,
                     [&](const Stanza& stanza, const std::string& where) {
                         if (auto package = package_of(stanza, where, complaints)) {
                             read_part(root, file, *package, complaints);
                             listing.packages.push_back(std::move(*package));
                         }
                     });
    }
    read_diversions(root, listing, complaints);
    read_alternatives(root, listing);
    return true;
}

} // namespace luatrail::inventory
