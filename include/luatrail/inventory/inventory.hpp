// What a host's own databases say: which package owns what, which packages need Lua, who runs what. Facts, without a
// word on what is expected.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace luatrail::inventory {

// How a file on disk stands to its package's word.
enum class DigestState : std::uint8_t {
    unchecked, // not looked at, or the package gives no digest
    matches,
    differs,
    missing, // not on disk (path-exclude, or deleted)
};
std::string_view to_string(DigestState state); // "unchecked", ...

struct Package {
    std::string name, version, architecture;
    std::vector<std::string>
        depends_on_lua;  // the way to a Lua package, nearest first: {"lua-expat", "lua5.4"}; empty: none
    bool is_lua = false; // owns an interpreter or a Lua library
};

enum class FileKind : std::uint8_t {
    executable, // by mode
    lua_script, // an executable whose #! line names an interpreter
    lua_module, // *.lua, or in a directory of Lua modules
    interpreter,
};
std::string_view to_string(FileKind kind); // "executable", "lua-script", ...

struct OwnedFile {
    std::uint32_t package = 0; // index into packages
    FileKind kind = FileKind::executable;
    DigestState state = DigestState::unchecked;
    bool diverted = false; // the package's file lies under another name than the package lists
    std::string program{}; // of a Lua script: the interpreter that its #! line leads to
};

struct Interpreter {
    std::string path, profile;
    std::optional<std::string> version; // "5.4.4", from the file's own text
    std::optional<std::string> sha256;
    std::uint64_t size = 0;
    std::optional<std::uint32_t> package;
};

struct Unit { // of systemd
    std::string name, path;
    std::vector<std::string> commands; // ExecStart=, without their prefixes
    std::optional<std::string> user;
    std::optional<std::uint32_t> package;
};

struct CronEntry {
    std::string path, user, command;
};

struct Account {
    std::string name, shell;
    std::uint32_t uid = 0;
    bool service = false; // cannot log in: its shell is nologin or false, or its uid is below UID_MIN
};

// How a path was found to be owned.
enum class OwnedBy : std::uint8_t { path, alias, diversion, alternative, link };
std::string_view to_string(OwnedBy how);

struct Inventory {
    std::string system;                 // "Debian GNU/Linux 12 (bookworm)"
    std::vector<std::string> databases; // "dpkg", "rpm", "apk", "pacman"
    std::int64_t built_ms = 0;
    std::vector<Package> packages;
    std::unordered_map<std::string, OwnedFile> files;   // by canonical path
    std::map<std::string, std::string> directory_links; // "/bin" -> "/usr/bin": directories that are links
    std::map<std::string, std::string>
        alternatives; // "/etc/alternatives/lua-interpreter" -> "/usr/bin/lua5.4"; links to them, too
    std::map<std::string, std::string>
        links; // that packages bring, to files that are kept: "/usr/bin/texdoc" -> "/usr/share/.../texdoc.tlu"
    std::vector<Interpreter> interpreters;
    std::vector<Unit> units;
    std::vector<CronEntry> cron;
    std::vector<Account> accounts;
    std::vector<std::string> complaints; // "var/lib/dpkg/status:120: no package's name": what could not be understood

    struct Owner {
        const Package* package;
        const OwnedFile* file;
        std::string path; // canonical
        OwnedBy how;
    };
    // Nothing when no package owns the path, or the file is none of the kinds that are kept.
    std::optional<Owner> owner(std::string_view path) const;

    // With directories that are links replaced: "/bin/lua" is "/usr/bin/lua" on a merged /usr.
    std::string canonical(std::string_view path) const;
};

// Whether a path's name is that of a shared library of an interpreter, not of a module ("liblua5.4.so.0",
// "libluajit-5.1.so.2").
bool is_lua_library(std::string_view path);

// One compact file: a first line with format version, size and SHA-256, then the packed facts. load() throws
// base::Error "PATH: reason; remedy" where it is cut, altered, or of a version that is not known.
std::string to_file(const Inventory& inventory);
Inventory load(const std::string& path);

} // namespace luatrail::inventory
