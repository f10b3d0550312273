#include "luatrail/inventory/inventory.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>

#include <fmt/format.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/file.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/base/sealed.hpp"

namespace luatrail::inventory {

// Found by their arguments, so not in the unnamed namespace.
template <class Archive>
static void transfer(Archive& archive, Package& package) {
    archive(package.name, package.version, package.architecture, package.depends_on_lua, package.is_lua);
}
template <class Archive>
static void transfer(Archive& archive, OwnedFile& file) {
    archive(file.package, file.kind, file.state, file.diverted, file.program);
}
template <class Archive>
static void transfer(Archive& archive, Interpreter& interpreter) {
    archive(interpreter.path, interpreter.profile, interpreter.version, interpreter.sha256, interpreter.size,
            interpreter.package);
}
template <class Archive>
static void transfer(Archive& archive, Unit& unit) {
    archive(unit.name, unit.path, unit.commands, unit.user, unit.package);
}
template <class Archive>
static void transfer(Archive& archive, CronEntry& entry) {
    archive(entry.path, entry.user, entry.command);
}
template <class Archive>
static void transfer(Archive& archive, Account& account) {
    archive(account.name, account.shell, account.uid, account.service);
}

namespace {

// To be raised with every change of a transfer() function.
constexpr base::Seal seal{"inventory", 1};
constexpr std::size_t most_bytes = std::size_t{1} << 30U;

// A map as its entries, in order: the same facts are the same bytes.
template <class Map>
void save_map(base::Packer& out, const Map& map) {
    const std::map<std::string, typename Map::mapped_type> sorted(map.begin(), map.end());
    out.number(sorted.size());
    for (const auto& [key, value] : sorted) {
        out(key, value);
    }
}

template <class Map>
void load_map(base::Unpacker& in, Map& map) {
    for (auto left = in.size(); left > 0; --left) {
        std::string key;
        in(key);
        in(map[key]);
    }
}

Inventory unpacked(std::string_view bytes) {
    base::Unpacker in(bytes);
    Inventory inventory;
    in(inventory.system, inventory.databases, inventory.built_ms, inventory.packages);
    load_map(in, inventory.files);
    load_map(in, inventory.directory_links);
    load_map(in, inventory.alternatives);
    load_map(in, inventory.links);
    in(inventory.interpreters, inventory.units, inventory.cron, inventory.accounts, inventory.complaints);
    const auto known = [&](std::optional<std::uint32_t> package) {
        return !package || *package < inventory.packages.size();
    };
    bool sound = in.at_end();
    for (const auto& [path, file] : inventory.files) {
        sound =
            sound && known(file.package) && file.kind <= FileKind::interpreter && file.state <= DigestState::missing;
    }
    for (const auto& one : inventory.interpreters) {
        sound = sound && known(one.package);
    }
    for (const auto& one : inventory.units) {
        sound = sound && known(one.package);
    }
    if (!sound) {
        throw base::UnpackError("what is in it does not fit together");
    }
    return inventory;
}

template <std::size_t size>
std::string_view name_at(const std::array<std::string_view, size>& names, std::uint8_t at) {
    return at < size ? names[at] : std::string_view("unknown");
}

} // namespace

std::string_view to_string(DigestState state) {
    return name_at(std::array<std::string_view, 4>{"unchecked", "matches", "differs", "missing"},
                   static_cast<std::uint8_t>(state));
}
std::string_view to_string(FileKind kind) {
    return name_at(std::array<std::string_view, 4>{"executable", "lua-script", "lua-module", "interpreter"},
                   static_cast<std::uint8_t>(kind));
}
std::string_view to_string(OwnedBy how) {
    return name_at(std::array<std::string_view, 5>{"path", "alias", "diversion", "alternative", "link"},
                   static_cast<std::uint8_t>(how));
}

std::string Inventory::canonical(std::string_view path) const {
    std::string found(path);
    constexpr int most_links = 8; // one after the other: /lib is a link, and so is a directory below it
    for (int step = 0; step < most_links; ++step) {
        bool changed = false;
        for (auto slash = found.find('/', 1); slash != std::string::npos && !changed;
             slash = found.find('/', slash + 1)) {
            if (const auto link = directory_links.find(found.substr(0, slash)); link != directory_links.end()) {
                found = (link->second == "/" ? "" : link->second) + found.substr(slash);
                changed = true;
            }
        }
        if (!changed) {
            break;
        }
    }
    return found;
}

std::optional<Inventory::Owner> Inventory::owner(std::string_view path) const {
    auto at = canonical(path);
    auto how = at == path ? OwnedBy::path : OwnedBy::alias;
    if (const auto link = alternatives.find(at); link != alternatives.end()) {
        at = link->second;
        how = OwnedBy::alternative;
    } else if (const auto packaged = links.find(at); packaged != links.end()) {
        at = packaged->second;
        how = OwnedBy::link;
    }
    const auto found = files.find(at);
    if (found == files.end()) {
        return std::nullopt;
    }
    how = found->second.diverted ? OwnedBy::diversion : how;
    return Owner{&packages[found->second.package], &found->second, std::move(at), how};
}

std::string to_file(const Inventory& inventory) {
    base::Packer out;
    out(inventory.system, inventory.databases, inventory.built_ms, inventory.packages);
    save_map(out, inventory.files);
    save_map(out, inventory.directory_links);
    save_map(out, inventory.alternatives);
    save_map(out, inventory.links);
    out(inventory.interpreters, inventory.units, inventory.cron, inventory.accounts, inventory.complaints);
    const auto bytes = out.take();
    return base::seal_line(seal, bytes) + bytes;
}

Inventory load(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0) {
        throw base::Error(
            fmt::format("{}: everybody may write it, and what it says decides what is reported; build it again", path));
    }
    errno = 0;
    const auto content = base::read_file(path, most_bytes);
    if (!content) {
        throw base::Error(
            fmt::format("{}: {}; make it with `luatrail inventory build -o {}`", path, std::strerror(errno), path));
    }
    const auto fail = [&path](std::string_view why) {
        return base::Error(fmt::format("{}: {}; build it again with `luatrail inventory build`", path, why));
    };
    std::string_view bytes;
    switch (base::check_seal(seal, *content, bytes)) {
    case base::Sealed::foreign:
        throw fail("no inventory of luatrail");
    case base::Sealed::other_version:
        throw fail("another version of luatrail made it");
    case base::Sealed::altered:
        throw fail("it was cut or altered");
    case base::Sealed::whole:
        break;
    }
    try {
        return unpacked(bytes);
    } catch (const base::UnpackError& error) {
        throw fail(error.what());
    }
}

bool is_lua_library(std::string_view path) {
    const auto name = path.substr(path.rfind('/') + 1);
    const auto end = name.find(".so");
    for (const std::string_view start : {"libluajit", "libtexluajit", "liblua", "libtexlua"}) {
        if (end != std::string_view::npos && name.starts_with(start)) {
            auto rest = name.substr(start.size(), end - start.size());
            if (rest.ends_with("++")) { // "++", "-c++"
                rest = rest.substr(0, rest.find_first_of("+c"));
            }
            return rest.find_first_not_of("0123456789.-") == std::string_view::npos;
        }
    }
    return false;
}

} // namespace luatrail::inventory
