#include "luatrail/inventory/build.hpp"

#include <algorithm>
#include <array>

#include <sys/stat.h>

#include <fmt/format.h>

#include "inventory/apk.hpp"
#include "inventory/dpkg.hpp"
#include "inventory/host_facts.hpp"
#include "inventory/lua_needs.hpp"
#include "inventory/pacman.hpp"
#include "inventory/rpm.hpp"
#include "luatrail/base/clock.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::inventory {
namespace {

// Where nothing lies that runs: most of a system's files.
bool is_data(std::string_view path) {
    for (const std::string_view directory :
         {"/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/icons/", "/usr/share/info/",
          "/usr/share/zoneinfo/", "/usr/share/fonts/", "/usr/include/", "/usr/share/help/"}) {
        if (path.starts_with(directory)) {
            return true;
        }
    }
    return false;
}

bool is_module(std::string_view path) {
    const auto name = path.substr(path.rfind('/') + 1);
    if (name.ends_with(".lua") || name.ends_with(".luac")) {
        return true;
    }
    return name.ends_with(".so") &&
           (path.find("/lua/") != std::string_view::npos || path.find("/luajit") != std::string_view::npos);
}

class Builder {
  public:
    explicit Builder(const BuildOptions& options) : options_(options), root_(options.root) {}

    Inventory build() {
        read_databases();
        inventory_.built_ms = base::wall_clock_ms();
        inventory_.system = system_name(root_);
        find_directory_links();
        for (const auto& listed : listing_.packages) {
            add_package(listed);
        }
        find_lua_needs(listing_.packages, inventory_.packages);
        find_links();
        find_alternatives();
        find_interpreters();
        inventory_.units = read_units(root_);
        for (auto& unit : inventory_.units) {
            if (const auto owner = unit_owners_.find(root_.canonical(unit.path)); owner != unit_owners_.end()) {
                unit.package = owner->second;
            }
        }
        inventory_.cron = read_cron(root_, complaints_);
        inventory_.accounts = read_accounts(root_, complaints_);
        inventory_.complaints = complaints_.take();
        return std::move(inventory_);
    }

  private:
    void read_databases() {
        const auto found = [this](bool there, const char* name) {
            if (there) {
                inventory_.databases.emplace_back(name);
            }
        };
        found(read_dpkg(root_, listing_, complaints_), "dpkg");
        found(read_rpm(root_, options_.rpm_helper, listing_, complaints_), "rpm");
        found(read_apk(root_, listing_, complaints_), "apk");
        found(read_pacman(root_, listing_, complaints_), "pacman");
        if (inventory_.databases.empty()) {
            throw base::Error(fmt::format(
                "{}: no package database of dpkg, rpm, apk or pacman is below it; name a system's root with --root",
                options_.root));
        }
    }

    // Of the root's directories: a merged /usr makes /bin a link.
    void find_directory_links() {
        for (const auto& name : root_.list("/")) {
            const auto path = "/" + name;
            if (const auto status = root_.status(path); status && status->type == Root::Type::link) {
                add_directory_link(path);
            }
        }
    }

    // Packages have such links, too: /usr/share/lmod/lmod is the version's directory.
    void add_directory_link(const std::string& path) {
        const auto target = root_.target_status(path);
        if (target && target->type == Root::Type::directory) {
            if (auto resolved = root_.resolve(path)) {
                inventory_.directory_links[path] = std::move(*resolved);
            }
        }
    }

    void add_package(const ListedPackage& listed) {
        const auto index = static_cast<std::uint32_t>(inventory_.packages.size());
        inventory_.packages.push_back({listed.name, listed.version, listed.architecture, {}, false});
        for (const auto& file : listed.files) {
            if (is_lua_library(file.path)) {
                inventory_.packages.back().is_lua = true;
            }
            if (!is_data(file.path)) {
                add_file(index, listed, file);
            }
        }
    }

    void add_file(std::uint32_t index, const ListedPackage& listed, const ListedFile& file) {
        auto path = file.path;
        OwnedFile owned;
        owned.package = index;
        if (const auto diversion = listing_.diversions.find(path);
            diversion != listing_.diversions.end() && diversion->second.by != listed.name) {
            path = diversion->second.to;
            owned.diverted = true;
        }
        path = root_.canonical(path);
        if (path.ends_with(".service")) {
            unit_owners_.emplace(path, index);
            return;
        }
        const auto status = root_.status(path);
        const bool module = is_module(path);
        if (status && status->type == Root::Type::link) {
            add_directory_link(path);
            links_.push_back(path);
        }
        if (status ? status->type != Root::Type::file || !(status->executable || module) : !module) {
            return; // a directory, a link, data; what is missing is reported of modules only, because nothing says what
                    // else it was
        }
        owned.kind = kind_of(path, status.value_or(Root::Status{}), module, owned.program);
        inventory_.packages[index].is_lua = inventory_.packages[index].is_lua || owned.kind == FileKind::interpreter;
        if (owned.kind != FileKind::executable) {
            owned.state = state_of(path, file.digest);
        }
        inventory_.files.insert_or_assign(std::move(path), owned);
    }

    FileKind kind_of(const std::string& path, const Root::Status& status, bool module, std::string& program) const {
        if (module) {
            return FileKind::lua_module;
        }
        if (!options_.profile_of(path).empty()) {
            return FileKind::interpreter;
        }
        constexpr std::uint64_t most_script = 16UL * 1024 * 1024;
        if (status.size <= most_script) {
            program = lua_program_of(path);
        }
        return program.empty() ? FileKind::executable : FileKind::lua_script;
    }

    // "#!/usr/bin/lua5.4", "#!/usr/bin/env -S luajit": where that leads; empty when it is no interpreter.
    std::string lua_program_of(const std::string& path) const {
        constexpr std::size_t head_bytes = 256;
        const auto head = root_.read(path, head_bytes).value_or("");
        if (!head.starts_with("#!")) {
            return {};
        }
        bool first = true;
        for (const auto word : base::words(base::trimmed(std::string_view(head).substr(2, head.find('\n') - 2)))) {
            const auto name = word.substr(word.rfind('/') + 1);
            if (first && name == "env") {
                first = false;
                continue;
            }
            if (!first && (word.starts_with('-') || word.find('=') != std::string_view::npos)) {
                continue; // env's own
            }
            if (name == "lua-any") { // Debian's: a script that picks an interpreter by what the script says
                return fmt::format("/usr/bin/{}", name);
            }
            const auto program = word.front() == '/' ? std::string(word) : fmt::format("/usr/bin/{}", name);
            return options_.profile_of(program).empty() ? std::string() : root_.resolve(program).value_or(program);
        }
        return {};
    }

    DigestState state_of(const std::string& path, const std::string& digest) const {
        if (!root_.status(path)) {
            return DigestState::missing;
        }
        const auto now = digest.empty() ? std::nullopt : root_.digest(path, digest.size());
        return !now ? DigestState::unchecked : *now == digest ? DigestState::matches : DigestState::differs;
    }

    void find_links() {
        for (const auto& link : links_) {
            if (auto target = root_.resolve(link); target && inventory_.files.contains(*target)) {
                inventory_.links.emplace(link, std::move(*target));
            }
        }
    }

    void find_alternatives() {
        for (const auto& link : listing_.alternatives) {
            const auto target = root_.resolve(link);
            const auto status = root_.status(link);
            if (target && inventory_.files.contains(*target) && status && status->type == Root::Type::link) {
                inventory_.alternatives[root_.canonical(link)] = *target;
            }
        }
    }

    void find_interpreters() {
        for (const auto& [path, file] : inventory_.files) {
            if (file.kind == FileKind::interpreter) {
                add_interpreter(path, file.package);
            }
        }
        for (const std::string directory :
             {"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin", "/opt/bin",
              "/usr/local/openresty/luajit/bin", "/usr/local/openresty/bin"}) {
            for (const auto& name : root_.list(directory)) {
                const auto path = root_.canonical(fmt::format("{}/{}", directory, name));
                const auto status = options_.profile_of(path).empty() ? std::nullopt : root_.status(path);
                if (status && status->type == Root::Type::file && status->executable &&
                    !inventory_.files.contains(path)) {
                    add_interpreter(path, std::nullopt);
                }
            }
        }
        auto& all = inventory_.interpreters;
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
        all.erase(std::unique(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path == b.path; }),
                  all.end());
    }

    void add_interpreter(const std::string& path, std::optional<std::uint32_t> package) {
        Interpreter found;
        found.path = path;
        found.profile = options_.profile_of(path);
        found.package = package;
        constexpr std::size_t sha256 = 64;
        found.sha256 = root_.digest(path, sha256);
        if (const auto content = root_.read(path)) {
            found.size = content->size();
            found.version = version_in(*content);
        }
        inventory_.interpreters.push_back(std::move(found));
    }

    // LUA_RELEASE ("Lua 5.4.4") or LuaJIT's ("LuaJIT 2.1.0-beta3"), as the program prints it.
    static std::optional<std::string> version_in(std::string_view content) {
        for (const std::string_view start : {"LuaJIT 2.", "Lua 5."}) {
            for (auto at = content.find(start); at != std::string_view::npos; at = content.find(start, at + 1)) {
                const auto text = content.substr(at + start.find(' ') + 1, 24);
                const auto end = text.find_first_not_of("0123456789.-abcdefghijklmnopqrstuvwxyz");
                if (const auto version = text.substr(0, end); version.size() > 2 && version.back() != '.') {
                    return std::string(version);
                }
            }
        }
        return std::nullopt;
    }

    BuildOptions options_;
    Root root_;
    Listing listing_;
    Complaints complaints_;
    Inventory inventory_;
    std::unordered_map<std::string, std::uint32_t> unit_owners_; // by path
    std::vector<std::string> links_;                             // that packages bring
};

} // namespace

std::int64_t databases_changed_ms() {
    std::int64_t newest = 0;
    for (const auto* path :
         {"/var/lib/dpkg/status", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite",
          "/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db", "/lib/apk/db/installed", "/var/lib/pacman/local"}) {
        struct stat status {};
        if (::stat(path, &status) == 0) {
            newest = std::max<std::int64_t>(newest, status.st_mtim.tv_sec * 1000);
        }
    }
    return newest;
}

Inventory build(const BuildOptions& options) {
    return Builder(options).build();
}

} // namespace luatrail::inventory
