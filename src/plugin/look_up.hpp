// A look at the running host, soon after a run of Lua: what its files hold, what its environment sets, in which unit
// and container it runs.
//
// Everything that is looked at may be an attacker's. Files are opened by O_PATH first: what is no regular file (a FIFO,
// a device), or lies on a network or FUSE mount, is not read; nor is a script that the run's own user may not read, so
// that nobody has luatrail tell him what is in a file of others. Sizes are bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::plugin {

inline constexpr std::uint64_t most_hashed = 32UL * 1024 * 1024; // bytes of one file
inline constexpr std::size_t most_first_line = 200;              // bytes
inline constexpr std::size_t most_variable = 1024;               // bytes of one environment variable

// What cgroups(7) says of a process: /proc/PID/cgroup.
struct ControlGroup {
    std::optional<std::string> unit;      // of systemd, the innermost: "nginx.service", "session-3.scope"
    std::optional<std::string> container; // its id, or the name that lxc or systemd-nspawn give it
};
ControlGroup parse_cgroup(std::string_view text);

// "Lua 5.4" (lundump.h: ESC "Lua", then the version's two digits in one byte), "LuaJIT 2" (lj_bcdump.h: ESC "LJ", then
// the format's version); nothing when the bytes are no bytecode.
std::optional<std::string> bytecode_of(std::string_view first_bytes);

// The version that a program with Lua inside says (lua.h, LUA_RELEASE; luajit.h, LUAJIT_VERSION), or nothing.
std::optional<std::string> lua_version_in(std::string_view program);
// Of a run's environment the variable that is code: LUA_INIT, or that of a version (LUA_INIT_5_4), which goes before.
std::optional<std::string> init_in(const std::vector<std::string>& environment);

class LookUps {
  public:
    // `proc`: a proc(5) file system.
    explicit LookUps(std::string proc = "/proc");
    ~LookUps();

    // Adds `evidence`, and unit, container and code format where they can be known. Blocks as files do; never throws.
    void add_to(detect::Finding& finding);

    // The variable of a run's environment that brings code of its own ("LUA_INIT=@/tmp/x"); nothing: none, or the
    // process has ended.
    std::optional<std::string> init_of(const detect::Finding& finding) const;
    // "Lua 5.4.4" or "LuaJIT 2.1.0-beta3", where a process's program holds such a text; its first 16 MiB are looked at.
    std::optional<std::string> lua_in(const detect::Finding& finding) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::plugin
