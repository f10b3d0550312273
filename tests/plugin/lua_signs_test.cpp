#include "plugin/lua_signs.hpp"

#include "support/catch.hpp"

TEST_CASE("bytecode is told by its header") {
    using luatrail::plugin::bytecode_of;
    CHECK(bytecode_of("\x1bLua\x54\x00 and more") == "Lua 5.4");
    CHECK(bytecode_of("\x1bLua\x51") == "Lua 5.1");
    CHECK(bytecode_of("\x1bLJ\x02") == "LuaJIT 2");
    CHECK(!bytecode_of("\x1bLua"));
    CHECK(!bytecode_of("\x1bLJ"));
    CHECK(!bytecode_of("print(1)"));
    CHECK(!bytecode_of(""));
}

TEST_CASE("a program with Lua inside says its version") {
    using luatrail::plugin::lua_version_in;
    const std::string elf = "\x7f"
                            "ELF....";
    CHECK(lua_version_in(elf + std::string("x\0$LuaVersion: Lua 5.4.4  Copyright (C) 1994", 44)) == "Lua 5.4.4");
    CHECK(lua_version_in(elf + std::string("$Lua: Lua 5.1.5 Copyright\0", 26)).value_or("").starts_with("Lua 5.1.5"));
    CHECK(lua_version_in(elf + std::string("LuaJIT 2.1.0-beta3\0x", 20)) == "LuaJIT 2.1.0-beta3");
    CHECK(!lua_version_in(elf + "runs Lua 5.4 scripts"));
    CHECK(!lua_version_in("#!/bin/sh\necho LuaJIT 2.1"));
    CHECK(!lua_version_in(""));
    CHECK(lua_version_in(elf + "LuaJIT 2.") == "LuaJIT 2."); // cut at the end
}

TEST_CASE("a program that hides its version shows the machine's own names") {
    using luatrail::plugin::lua_machine_in;
    const std::string elf = "\x7f"
                            "ELF....";
    std::string names;
    for (const auto* const name : {"__index", "__newindex", "__gc", "__mode", "__len", "__unm", "__concat", "__call",
                                   "__pairs", "__tostring", "__close"}) {
        names += name + std::string(1, '\0');
    }
    CHECK(lua_machine_in(elf + names + "\x1bLua") == "Lua's virtual machine");
    CHECK(lua_machine_in(elf + "__index__newindex__gc__mode__eq") == "Lua's virtual machine");
    CHECK(!lua_machine_in(elf + names));                           // a program that makes objects for Lua
    CHECK(!lua_machine_in(elf + "\x1bLua" + names.substr(0, 40))); // file(1) knows bytecode
    CHECK(!lua_machine_in(names + "\x1bLua"));                     // no program
    const std::string calls("luaL_newstate\0luaL_openlibs\0", 28);
    CHECK(lua_machine_in(elf + calls) == "calls of Lua's library"); // found by dlsym(3), or linked
    CHECK(!lua_machine_in(elf + calls.substr(0, 14)));
}

TEST_CASE("of two variables the version's own is the one that counts") {
    using luatrail::plugin::init_in;
    CHECK(!init_in({"LUA_PATH=/x"}));
    CHECK(init_in({"LUA_INIT=a"}) == "LUA_INIT=a");
    CHECK(init_in({"LUA_INIT=a", "LUA_INIT_5_4=b"}) == "LUA_INIT_5_4=b");
    CHECK(init_in({"LUA_INIT_5_4=b", "LUA_INIT=a"}) == "LUA_INIT_5_4=b");
}

TEST_CASE("of an environment only what decides which code is loaded is taken, cut") {
    using luatrail::plugin::lua_variables;
    const std::string variables("SECRET=1\0LUA_INIT=@x\0LUA_PATH_5_4=?\0LUA_CPATH=c\0LUAX=1", 51);
    CHECK(lua_variables(variables) == std::vector<std::string>{"LUA_INIT=@x", "LUA_PATH_5_4=?", "LUA_CPATH=c"});
    CHECK(lua_variables("LUA_INIT=" + std::string(5000, 'x')).at(0).size() == luatrail::plugin::most_variable);
    CHECK(lua_variables("").empty());
    CHECK(lua_variables(std::string(3, '\0')).empty());
}
