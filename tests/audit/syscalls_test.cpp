#include <optional>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

#include "luatrail/audit/syscalls.hpp"

using namespace luatrail::audit;

namespace {

struct Row {
    std::uint32_t arch, number;
    std::optional<Call> expected;
};

void check(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        CAPTURE(row.arch, row.number);
        CHECK(call_of(row.arch, row.number) == row.expected);
    }
}

constexpr std::uint32_t x86_64 = 0xc000003e, i386 = 0x40000003, arm = 0x40000028, aarch64 = 0xc00000b7,
                        ppc64le = 0xc0000015, ppc64 = 0x80000015, ppc = 0x14, s390x = 0x80000016, s390 = 0x16,
                        riscv64 = 0xc00000f3, loongarch64 = 0xc0000102;

} // namespace

TEST_CASE("which number is an exec goes by the architecture") {
    check({
        {x86_64, 59, Call::execve},       {x86_64, 322, Call::execveat},  {x86_64, 11, Call::other},
        {i386, 11, Call::execve},         {i386, 358, Call::execveat},    {i386, 59, Call::other}, // olduname
        {arm, 11, Call::execve},          {arm, 387, Call::execveat},     {aarch64, 221, Call::execve},
        {aarch64, 281, Call::execveat},   {aarch64, 59, Call::other},     {ppc64le, 11, Call::execve},
        {ppc64, 11, Call::execve},        {ppc, 11, Call::execve},        {s390x, 11, Call::execve},
        {s390, 11, Call::execve},         {riscv64, 221, Call::execve},   {riscv64, 281, Call::execveat},
        {loongarch64, 221, Call::execve}, {loongarch64, 59, Call::other},
    });
}

TEST_CASE("calls on files and processes are known on each architecture that has them") {
    check({
        {x86_64, 2, Call::open},         {x86_64, 257, Call::openat},
        {x86_64, 437, Call::openat2},    {x86_64, 85, Call::creat},
        {x86_64, 82, Call::rename},      {x86_64, 264, Call::renameat},
        {x86_64, 316, Call::renameat2},  {x86_64, 86, Call::link},
        {x86_64, 88, Call::symlink},     {x86_64, 87, Call::unlink},
        {x86_64, 263, Call::unlinkat},   {x86_64, 319, Call::memfd_create},
        {x86_64, 57, Call::fork},        {x86_64, 58, Call::vfork},
        {x86_64, 56, Call::clone},       {x86_64, 435, Call::clone3},
        {x86_64, 231, Call::exit_group}, {x86_64, 60, Call::exit},
        {x86_64, 101, Call::ptrace},     {x86_64, 311, Call::process_vm_writev},
        {x86_64, 42, Call::connect},     {aarch64, 56, Call::openat},
        {aarch64, 276, Call::renameat2}, {aarch64, 279, Call::memfd_create},
        {aarch64, 220, Call::clone},     {aarch64, 94, Call::exit_group},
        {aarch64, 435, Call::clone3},    {i386, 5, Call::open},
        {i386, 295, Call::openat},       {i386, 356, Call::memfd_create},
        {i386, 252, Call::exit_group},
    });
}

TEST_CASE("an architecture or number that nobody knows is no call") {
    check({
        {0, 59, std::nullopt},
        {0xffffffff, 59, std::nullopt},
        {x86_64, 0x40000000 + 59, Call::other}, // x32
        {x86_64, 0xffffffff, Call::other},
        {x86_64, 599, Call::other},
        {x86_64, 600, Call::other},
    });
}

TEST_CASE("an architecture is read as a number or by its name") {
    CHECK(arch_from("c000003e") == x86_64);
    CHECK(arch_from("x86_64") == x86_64);
    CHECK(arch_from("40000003") == i386);
    CHECK(arch_from("i386") == i386);
    CHECK(arch_from("aarch64") == aarch64);
    CHECK(arch_from("ppc64le") == ppc64le);
    CHECK(arch_from("14") == ppc);
    CHECK(arch_from("") == std::nullopt);
    CHECK(arch_from("x86-64") == std::nullopt);
    CHECK(arch_from("1c000003e") == std::nullopt);
}

TEST_CASE("every call has one name, which leads back to it") {
    for (int value = 1; value <= static_cast<int>(Call::socket); ++value) {
        const auto call = static_cast<Call>(value);
        CAPTURE(value);
        CHECK(!to_string(call).empty());
        CHECK(call_from_name(to_string(call)) == call);
    }
    CHECK(to_string(Call::other).empty());
    CHECK(call_from_name("") == Call::other);
    CHECK(call_from_name("Execve") == Call::other);
    CHECK(is_exec(Call::execve));
    CHECK(is_exec(Call::execveat));
    CHECK(!is_exec(Call::fork));
}
