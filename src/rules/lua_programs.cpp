#include "luatrail/rules/lua_programs.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <dirent.h>
#include <sys/stat.h>

#include "luatrail/base/elf.hpp"
#include "luatrail/base/file.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::rules {
namespace {

using Names = std::set<std::string>;

std::vector<std::string> entries(const std::string& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), &::closedir);
    std::vector<std::string> paths;
    while (const auto* const entry = open ? ::readdir(open.get()) : nullptr) {
        if (entry->d_name[0] != '.') {
            paths.push_back(directory + "/" + entry->d_name);
        }
    }
    return paths;
}

bool is(mode_t kind, const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

// The libraries of the host that are Lua's, and those that bring Lua with them.
class Libraries {
  public:
    explicit Libraries(const std::vector<std::string>& directories) {
        Names seen;
        for (const auto& directory : directories) {
            look_in(directory, seen);
            for (const auto& below : entries(directory)) {
                if (below.find(".so") == std::string::npos && is(S_IFDIR, below)) {
                    look_in(below, seen);
                }
            }
        }
        follow();
    }

    std::vector<std::string> lua() const { return {lua_.begin(), lua_.end()}; }

    // From names that a file needs to Lua, the shortest way; empty: there is none.
    std::vector<std::string> way(const std::vector<std::string>& needed) const {
        std::vector<std::string> shortest;
        for (const auto& name : needed) {
            std::vector<std::string> steps;
            for (auto at = next_.find(name); at != next_.end(); at = next_.find(at->second)) {
                steps.push_back(at->first);
            }
            if (!steps.empty() && (shortest.empty() || steps.size() < shortest.size())) {
                shortest = std::move(steps);
            }
        }
        return shortest;
    }

  private:
    void look_in(const std::string& directory, Names& seen) {
        const auto real = base::real_path(directory);
        if (!real || !seen.insert(*real).second) {
            return;
        }
        for (const auto& path : entries(*real)) {
            if (path.find(".so", real->size()) == std::string::npos) {
                continue;
            }
            const auto file = base::real_path(path);
            if (!file || !is(S_IFREG, *file)) {
                continue;
            }
            const auto names = names_.find(*file);
            if (names != names_.end()) {
                names->second.insert(name_of(path));
                continue;
            }
            if (const auto needed = base::needed_libraries(*file)) { // else a linker's script, or no library
                names_[*file] = {name_of(path), name_of(*file)};
                for (const auto& name : *needed) {
                    needed_by_[name].push_back(*file);
                }
                if (inventory::is_lua_library(*file) || inventory::is_lua_library(path)) {
                    lua_.insert(*file);
                }
            }
        }
    }

    // From Lua outwards, so that the first way that is found is the shortest.
    void follow() {
        std::deque<std::string> reached;
        const auto reach = [&](const std::string& file, const std::string& next) {
            for (const auto& name : names_[file]) {
                if (next_.emplace(name, next).second) {
                    reached.push_back(name);
                }
            }
        };
        for (const auto& file : lua_) {
            reach(file, "");
        }
        for (; !reached.empty(); reached.pop_front()) {
            const auto name = reached.front();
            for (const auto& file : needed_by_[name]) {
                reach(file, name);
            }
        }
    }

    std::map<std::string, Names> names_;                        // of a file
    std::map<std::string, std::vector<std::string>> needed_by_; // files, by the name that they need
    std::map<std::string, std::string> next_; // by name: the name that the file needs on its way to Lua; "": it is Lua
    Names lua_;
};

} // namespace

LuaFiles find_lua(const detect::ProfileSet& profiles, const LookIn& where,
                  const std::function<bool(const std::string& path)>& has_marks) {
    const Libraries libraries(where.libraries);
    std::map<std::string, LuaProgram> found;
    Names without;
    for (const auto& directory : where.programs) {
        for (const auto& path : entries(directory)) {
            const auto file = base::real_path(path);
            if (!file) {
                continue;
            }
            // A script of another interpreter (resty, which is perl's) is known by its arguments only.
            const auto* const profile = profiles.match(path, path).profile;
            if (const auto known = found.find(*file); known != found.end()) {
                known->second.profile = known->second.profile == nullptr ? profile : known->second.profile;
                continue;
            }
            if (profile == nullptr && without.count(*file) != 0) {
                continue;
            }
            // A script by an interpreter's name (luarocks' wrappers) runs as what its first line names.
            const auto needed = is(S_IFREG, *file) ? base::needed_libraries(*file) : std::nullopt;
            auto needs = needed ? libraries.way(*needed) : std::vector<std::string>();
            if (needed && (profile != nullptr || !needs.empty() || (has_marks && has_marks(*file)))) {
                const bool content = profile == nullptr && needs.empty();
                found.emplace(*file, LuaProgram{*file, profile, std::move(needs), content});
            } else {
                without.insert(*file);
            }
        }
    }
    LuaFiles files{{}, libraries.lua()};
    for (auto& [path, program] : found) {
        files.programs.push_back(std::move(program));
    }
    return files;
}

} // namespace luatrail::rules
