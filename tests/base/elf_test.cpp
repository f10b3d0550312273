#include "luatrail/base/elf.hpp"

#include <algorithm>
#include <cstring>

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"
#include "support/catch.hpp"

using namespace luatrail::base;

namespace {

// A file of one segment that holds all: header, segments, tags, names.
struct Made {
    Elf64_Ehdr header{};
    Elf64_Phdr segments[2]{};
    Elf64_Dyn tags[4]{};
    char names[64] = "\0liblua5.4.so.0\0libm.so.6";
};

constexpr std::uint64_t base_address = 0x400000;

Made made() {
    Made file;
    std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_phoff = offsetof(Made, segments);
    file.header.e_phentsize = sizeof(Elf64_Phdr);
    file.header.e_phnum = 2;
    file.segments[0].p_type = PT_LOAD;
    file.segments[0].p_vaddr = base_address;
    file.segments[0].p_filesz = sizeof(Made);
    file.segments[1].p_type = PT_DYNAMIC;
    file.segments[1].p_offset = offsetof(Made, tags);
    file.segments[1].p_filesz = sizeof file.tags;
    file.tags[0] = {DT_NEEDED, {1}};
    file.tags[1] = {DT_NEEDED, {16}};
    file.tags[2] = {DT_STRTAB, {base_address + offsetof(Made, names)}};
    return file;
}

std::optional<std::vector<std::string>> needed_of(const void* bytes, std::size_t size) {
    const Descriptor file(::memfd_create("elf", MFD_CLOEXEC));
    REQUIRE(::write(file.get(), bytes, size) == static_cast<ssize_t>(size));
    return needed_libraries(file.get());
}

} // namespace

TEST_CASE("a file's needed libraries are read") {
    const auto file = made();
    CHECK(needed_of(&file, sizeof file) == std::vector<std::string>{"liblua5.4.so.0", "libm.so.6"});
    const auto self = needed_libraries("/proc/self/exe");
    REQUIRE(self.has_value());
    CHECK(std::any_of(self->begin(), self->end(), [](const std::string& name) { return name.starts_with("libc."); }));
}

TEST_CASE("what is no ELF file needs nothing") {
    CHECK_FALSE(needed_libraries("/proc/version").has_value());
    CHECK_FALSE(needed_libraries("/no/such/file").has_value());
    CHECK_FALSE(needed_libraries("/").has_value());
    CHECK_FALSE(needed_of("\x7f"
                          "ELF",
                          4)
                    .has_value());
}

TEST_CASE("a file may claim what it likes: each byte of it changed, each length of it") {
    const auto whole = made();
    for (std::size_t size = 0; size < sizeof whole; ++size) {
        needed_of(&whole, size);
    }
    for (std::size_t at = 0; at < sizeof whole; ++at) {
        for (const auto value : {0x00, 0x7f, 0xff}) {
            auto changed = whole;
            reinterpret_cast<unsigned char*>(&changed)[at] = static_cast<unsigned char>(value);
            const auto names = needed_of(&changed, sizeof changed);
            CHECK((!names || names->size() <= 4));
        }
    }
}

TEST_CASE("a file of a thousand segments and tags is read to its bounds only") {
    auto file = made();
    file.header.e_phnum = 65535;
    file.segments[1].p_filesz = UINT64_MAX;
    CHECK(needed_of(&file, sizeof file) == std::vector<std::string>{"liblua5.4.so.0", "libm.so.6"});
    file.tags[2].d_un.d_ptr = UINT64_MAX;
    CHECK_FALSE(needed_of(&file, sizeof file).has_value());
}
