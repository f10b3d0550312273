#include "plugin/lua_signs.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace luatrail::plugin {

std::optional<std::string> bytecode_of(std::string_view first_bytes) {
    if (first_bytes.starts_with("\x1bLua") && first_bytes.size() > 4) {
        const auto version = static_cast<unsigned char>(first_bytes[4]);
        return fmt::format("Lua {}.{}", version >> 4U, version & 0xfU);
    }
    if (first_bytes.starts_with("\x1bLJ") && first_bytes.size() > 3) {
        return fmt::format("LuaJIT {}", static_cast<unsigned char>(first_bytes[3]));
    }
    return std::nullopt;
}

static bool is_elf(std::string_view bytes) {
    return bytes.starts_with("\x7f"
                             "ELF");
}

// "$LuaVersion: Lua 5.4.4  Copyright" (lapi.c, lua_ident), "LuaJIT 2.1.0-beta3".
std::optional<std::string> lua_version_in(std::string_view program) {
    if (!is_elf(program)) {
        return std::nullopt;
    }
    constexpr std::size_t most_version = 20;
    const auto version_at = [program](std::size_t at) {
        auto text = program.substr(at, most_version);
        const auto end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.- ");
        text = text.substr(0, end);
        return std::string(text.substr(0, text.find("  ")));
    };
    // Before the version stands what makes the text one of a library, and not of a program that knows of Lua.
    for (const auto& [mark, skipped] : {std::pair<std::string_view, std::size_t>{"LuaJIT 2.", 0},
                                        {"$LuaVersion: Lua 5.", std::strlen("$LuaVersion: ")},
                                        {"$Lua: Lua 5.", std::strlen("$Lua: ")}}) {
        if (const auto at = program.find(mark); at != std::string_view::npos) {
            return version_at(at + skipped);
        }
    }
    return std::nullopt;
}

std::optional<std::string> lua_machine_in(std::string_view program) {
    constexpr std::array names = {std::string_view{"__newindex\0", 11}, std::string_view{"__gc\0", 5},
                                  std::string_view{"__mode\0", 7},      std::string_view{"__len\0", 6},
                                  std::string_view{"__unm\0", 6},       std::string_view{"__concat\0", 9},
                                  std::string_view{"__call\0", 7},      std::string_view{"__pairs\0", 8},
                                  std::string_view{"__tostring\0", 11}, std::string_view{"__close\0", 8},
                                  std::string_view{"__metatable\0", 12}};
    constexpr std::string_view of_luajit = "__index__newindex__gc__mode"; // one text
    constexpr std::size_t enough = 8;
    if (!is_elf(program)) {
        return std::nullopt;
    }
    const auto has = [program](std::string_view text) { return program.find(text) != std::string_view::npos; };
    const auto found = static_cast<std::size_t>(std::count_if(names.begin(), names.end(), has));
    if (has(of_luajit) || (found >= enough && has("\x1bLua"))) {
        return "Lua's virtual machine";
    }
    constexpr std::array calls = {std::string_view{"luaL_newstate\0", 14},    std::string_view{"luaL_openlibs\0", 14},
                                  std::string_view{"luaL_loadfilex\0", 15},   std::string_view{"luaL_loadstring\0", 16},
                                  std::string_view{"luaL_loadbufferx\0", 17}, std::string_view{"lua_pcallk\0", 11}};
    constexpr std::ptrdiff_t enough_calls = 2;
    return std::count_if(calls.begin(), calls.end(), has) >= enough_calls ? std::optional("calls of Lua's library")
                                                                          : std::nullopt;
}

std::optional<std::string> init_in(const std::vector<std::string>& environment) {
    std::optional<std::string> found;
    for (const auto& one : environment) {
        if (one.starts_with("LUA_INIT_") || (one.starts_with("LUA_INIT=") && !found)) {
            found = one;
        }
    }
    return found;
}

std::vector<std::string> lua_variables(std::string_view environment) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < environment.size() && found.size() < most_variables;) {
        const auto end = std::min(environment.find('\0', at), environment.size());
        const auto one = environment.substr(at, end - at);
        if (one.starts_with("LUA_INIT") || one.starts_with("LUA_PATH") || one.starts_with("LUA_CPATH")) {
            found.emplace_back(one.substr(0, most_variable));
        }
        at = end + 1;
    }
    return found;
}

} // namespace luatrail::plugin
