#include "luatrail/rules/lua_programs.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>

#include <elf.h>
#include <unistd.h>

#include "support/catch.hpp"

namespace lua_programs_test {

using namespace luatrail;
using namespace luatrail::rules;

namespace {

// A host's directories, with files that need each other.
class Files {
  public:
    Files() {
        std::string name = (std::filesystem::temp_directory_path() / "luatrail-rules-XXXXXX").string();
        root = std::filesystem::canonical(::mkdtemp(name.data())).string();
        std::filesystem::create_directories(root + "/bin");
        std::filesystem::create_directories(root + "/lib/multi/deeper");
    }
    ~Files() { std::filesystem::remove_all(root); }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    // An ELF file whose dynamic segment names up to three libraries.
    void elf(const std::string& name, const std::vector<std::string>& needs) const {
        struct {
            Elf64_Ehdr header{};
            Elf64_Phdr segments[2]{};
            Elf64_Dyn tags[5]{};
            char names[160]{};
        } file;
        std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
        file.header.e_ident[EI_CLASS] = ELFCLASS64;
        file.header.e_ident[EI_DATA] = ELFDATA2LSB;
        file.header.e_phoff = sizeof file.header;
        file.header.e_phentsize = sizeof(Elf64_Phdr);
        file.header.e_phnum = 2;
        file.segments[0].p_type = PT_LOAD;
        file.segments[0].p_filesz = sizeof file;
        file.segments[1].p_type = PT_DYNAMIC;
        file.segments[1].p_offset = sizeof file.header + sizeof file.segments;
        file.segments[1].p_filesz = sizeof file.tags;
        std::size_t at = 1;
        std::size_t tag = 0;
        for (const auto& need : needs) {
            file.tags[tag++] = {DT_NEEDED, {at}};
            std::memcpy(file.names + at, need.c_str(), need.size() + 1);
            at += need.size() + 1;
        }
        file.tags[tag] = {DT_STRTAB, {sizeof file - sizeof file.names}};
        std::ofstream(root + name, std::ios::binary).write(reinterpret_cast<const char*>(&file), sizeof file);
    }
    void link(const std::string& name, const std::string& to) const {
        std::filesystem::create_symlink(to, root + name);
    }
    LuaFiles find(const std::function<bool(const std::string&)>& has_marks = {}) const {
        return find_lua(profiles, {{root + "/bin"}, {root + "/lib"}}, has_marks);
    }

    std::string root;
    detect::ProfileSet profiles = detect::ProfileSet::builtin();
};

const LuaProgram* find(const LuaFiles& files, const std::string& path) {
    for (const auto& program : files.programs) {
        if (program.path == path) {
            return &program;
        }
    }
    return nullptr;
}

} // namespace

TEST_CASE("Lua's libraries are found in the directories of libraries and right below, links followed, once each") {
    const Files files;
    files.elf("/lib/multi/liblua5.4.so.0.0.0", {"libc.so.6"});
    files.link("/lib/multi/liblua5.4.so.0", "liblua5.4.so.0.0.0");
    files.link("/lib/liblua.so", "multi/liblua5.4.so.0.0.0");
    files.elf("/lib/libluajit-5.1.so.2", {});
    files.elf("/lib/multi/liblua5.4-lpeg.so.0", {}); // a module
    files.elf("/lib/multi/deeper/liblua5.3.so.0", {});
    std::ofstream(files.root + "/lib/liblua5.2.so") << "GROUP ( liblua5.2.so.0 )"; // a linker's script
    files.link("/lib/liblua5.1.so.0", "/no/such/file");
    CHECK(files.find().libraries ==
          std::vector{files.root + "/lib/libluajit-5.1.so.2", files.root + "/lib/multi/liblua5.4.so.0.0.0"});
}

TEST_CASE("a program is known by its profile, by the libraries that it needs, or by its content") {
    const Files files;
    files.elf("/lib/liblua5.3.so.0", {"libc.so.6"});
    files.elf("/lib/librpmio.so.9.1", {"libz.so.1", "liblua5.3.so.0"});
    files.link("/lib/librpmio.so.9", "librpmio.so.9.1");
    files.elf("/lib/librpm.so.9", {"librpmio.so.9"});
    files.elf("/bin/lua5.4", {"libc.so.6"});
    files.elf("/bin/rpm", {"librpm.so.9", "librpmio.so.9"});
    files.elf("/bin/game", {"librpm.so.9"});
    files.elf("/bin/true", {"libc.so.6"});
    files.elf("/bin/server", {});
    files.elf("/bin/perl", {"libc.so.6"}); // resty is a script of perl: perl itself is none
    files.link("/bin/lua", "lua5.4");
    std::ofstream(files.root + "/bin/lua5.3") << "#!/bin/sh\n"; // a wrapper
    const auto found = files.find([&files](const std::string& path) {
        return path != files.root + "/bin/true" && path != files.root + "/bin/perl";
    });
    CHECK(found.programs.size() == 4);

    const auto* const lua = find(found, files.root + "/bin/lua5.4");
    REQUIRE(lua != nullptr);
    CHECK(lua->is_interpreter());
    CHECK(lua->needs.empty());
    const auto* const rpm = find(found, files.root + "/bin/rpm");
    REQUIRE(rpm != nullptr);
    CHECK_FALSE(rpm->is_interpreter());
    CHECK(rpm->needs == std::vector<std::string>{"librpmio.so.9", "liblua5.3.so.0"});
    const auto* const game = find(found, files.root + "/bin/game");
    REQUIRE(game != nullptr);
    CHECK(game->profile == nullptr);
    CHECK(game->needs == std::vector<std::string>{"librpm.so.9", "librpmio.so.9", "liblua5.3.so.0"});
    CHECK_FALSE(game->content);
    const auto* const server = find(found, files.root + "/bin/server");
    REQUIRE(server != nullptr);
    CHECK(server->content);
    CHECK(files.find().programs.size() == 3); // without a look at the contents
}

TEST_CASE("libraries that need each other in a circle are followed once") {
    const Files files;
    files.elf("/lib/libone.so", {"libtwo.so"});
    files.elf("/lib/libtwo.so", {"libone.so", "liblua.so.5.4"});
    files.elf("/lib/liblua.so.5.4", {"libone.so"});
    files.elf("/bin/x", {"libone.so"});
    const auto found = files.find();
    REQUIRE(found.programs.size() == 1);
    CHECK(found.programs.front().needs == std::vector<std::string>{"libone.so", "libtwo.so", "liblua.so.5.4"});
}

} // namespace lua_programs_test
