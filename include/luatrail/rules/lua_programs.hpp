// Which files of this host are Lua, or can run it, and by what that is known.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "luatrail/detect/profiles.hpp"

namespace luatrail::rules {

struct LuaProgram {
    std::string path;                         // links followed
    const detect::Profile* profile = nullptr; // whose grammar its command line is read by; null: none
    // The way to Lua, by the names that the files need each other by: {"librpmio.so.9", "liblua5.3.so.0"}. Empty: Lua
    // is part of the file, or comes as a plugin.
    std::vector<std::string> needs;
    bool content = false; // Lua's own marks are in the file

    bool is_interpreter() const { return profile != nullptr && !profile->embedded; }
};

struct LuaFiles {
    std::vector<LuaProgram> programs;   // by path
    std::vector<std::string> libraries; // Lua's own, links followed
};

// Where to look: directories of programs, and of libraries, these with the directories right below them.
struct LookIn {
    std::vector<std::string> programs{"/usr/bin",        "/usr/local/bin", "/bin",     "/usr/sbin",
                                      "/usr/local/sbin", "/sbin",          "/snap/bin"};
    std::vector<std::string> libraries{"/usr/lib",
                                       "/usr/lib64",
                                       "/lib",
                                       "/lib64",
                                       "/usr/local/lib",
                                       "/usr/local/lib64",
                                       "/usr/local/openresty/luajit/lib"};
};

// `has_marks` tells by a program's bytes whether Lua is in it; it is asked about programs that are known by nothing
// else. Empty: nothing is looked into. The profiles outlive the result.
LuaFiles find_lua(const detect::ProfileSet& profiles, const LookIn& where = {},
                  const std::function<bool(const std::string& path)>& has_marks = {});

} // namespace luatrail::rules
