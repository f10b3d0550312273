#include "inventory/lua_needs.hpp"

#include <deque>
#include <unordered_map>

namespace luatrail::inventory {

// liblua5.4.so.0, liblua.so.5.4, liblua-5.4.so, liblua5.4-c++.so.0, libluajit-5.1.so.2, libtexlua53.so.5; not
// liblua5.1-bitop.so.0, which is a module.
void find_lua_needs(const std::vector<ListedPackage>& listed, std::vector<Package>& packages) {
    std::unordered_map<std::string_view, std::vector<std::uint32_t>>
        providers; // of a name, or of a file that a dependency names
    for (std::uint32_t at = 0; at < listed.size(); ++at) {
        providers[listed[at].name].push_back(at);
        for (const auto& name : listed[at].provides) {
            providers[name].push_back(at);
        }
    }
    std::unordered_map<std::string_view, bool> wanted_files;
    for (const auto& package : listed) {
        for (const auto& group : package.depends) {
            for (const auto& name : group) {
                if (name.starts_with('/')) {
                    wanted_files[name] = true;
                }
            }
        }
    }
    for (std::uint32_t at = 0; at < listed.size() && !wanted_files.empty(); ++at) {
        for (const auto& file : listed[at].files) {
            if (wanted_files.contains(file.path)) {
                providers[file.path].push_back(at);
            }
        }
    }
    // Of a group of alternatives those count that are installed.
    std::vector<std::vector<std::uint32_t>> needed_by(listed.size());
    for (std::uint32_t at = 0; at < listed.size(); ++at) {
        for (const auto& group : listed[at].depends) {
            for (const auto& name : group) {
                if (const auto found = providers.find(name); found != providers.end()) {
                    for (const auto provider : found->second) {
                        needed_by[provider].push_back(at);
                    }
                }
            }
        }
    }
    std::deque<std::uint32_t> next;
    for (std::uint32_t at = 0; at < packages.size(); ++at) {
        if (packages[at].is_lua) {
            next.push_back(at);
        }
    }
    while (!next.empty()) { // the shortest way first
        const auto nearer = next.front();
        next.pop_front();
        for (const auto at : needed_by[nearer]) {
            auto& package = packages[at];
            if (package.is_lua || !package.depends_on_lua.empty()) {
                continue;
            }
            package.depends_on_lua.push_back(packages[nearer].name);
            const auto& rest = packages[nearer].depends_on_lua;
            package.depends_on_lua.insert(package.depends_on_lua.end(), rest.begin(), rest.end());
            next.push_back(at);
        }
    }
}

} // namespace luatrail::inventory
