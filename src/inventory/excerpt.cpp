#include "luatrail/inventory/excerpt.hpp"

#include <algorithm>

namespace luatrail::inventory {

Inventory excerpt(const Inventory& inventory, const std::vector<std::string>& packages) {
    Inventory made;
    made.system = inventory.system;
    made.databases = inventory.databases;
    made.built_ms = inventory.built_ms;
    for (const auto& [link, target] : inventory.directory_links) {
        const bool of_root = link.find('/', 1) == std::string::npos;
        const bool of_kept =
            std::any_of(inventory.files.begin(), inventory.files.end(), [&, start = target + "/"](const auto& entry) {
                return entry.first.starts_with(start) &&
                       std::find(packages.begin(), packages.end(), inventory.packages[entry.second.package].name) !=
                           packages.end();
            });
        if (of_root || of_kept) {
            made.directory_links.emplace(link, target);
        }
    }
    made.alternatives = inventory.alternatives;
    made.accounts = inventory.accounts;
    std::vector<std::optional<std::uint32_t>> place(inventory.packages.size()); // in the excerpt
    for (std::size_t at = 0; at < inventory.packages.size(); ++at) {
        const auto& package = inventory.packages[at];
        if (package.is_lua || std::find(packages.begin(), packages.end(), package.name) != packages.end()) {
            place[at] = static_cast<std::uint32_t>(made.packages.size());
            made.packages.push_back(package);
        }
    }
    const auto placed = [&place](std::optional<std::uint32_t> package) {
        return package ? place[*package] : std::nullopt;
    };
    for (const auto& [path, file] : inventory.files) {
        if (const auto package = place[file.package]) {
            auto kept = file;
            kept.package = *package;
            made.files.emplace(path, std::move(kept));
        }
    }
    for (const auto& [link, target] : inventory.links) {
        if (made.files.contains(target)) {
            made.links.emplace(link, target);
        }
    }
    for (auto interpreter : inventory.interpreters) {
        interpreter.package = placed(interpreter.package);
        made.interpreters.push_back(std::move(interpreter));
    }
    for (auto unit : inventory.units) {
        if (const auto package = placed(unit.package)) {
            unit.package = package;
            made.units.push_back(std::move(unit));
        }
    }
    for (const auto& entry : inventory.cron) {
        const auto owned = made.files.contains(inventory.canonical(entry.command.substr(0, entry.command.find(' '))));
        if (owned) {
            made.cron.push_back(entry);
        }
    }
    return made;
}

} // namespace luatrail::inventory
