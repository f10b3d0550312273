#include "luatrail/audit/syscalls.hpp"

#include <set>
#include <string>

#include <libaudit.h>
#include <seccomp.h>

#include "support/catch.hpp"

using namespace luatrail::audit;

namespace {

constexpr std::uint32_t x86_64 = 0xc000003e, i386 = 0x40000003, arm = 0x40000028, aarch64 = 0xc00000b7,
                        ppc64le = 0xc0000015, ppc64 = 0x80000015, ppc = 0x14, s390x = 0x80000016, s390 = 0x16,
                        riscv64 = 0xc00000f3, loongarch64 = 0xc0000102;
constexpr std::uint64_t x32_bit = 0x40000000;

const Architecture& at(std::uint32_t value) {
    const auto* const architecture = architecture_of(value);
    REQUIRE(architecture != nullptr);
    return *architecture;
}

} // namespace

TEST_CASE("each call has one row, with a name that leads back to it") {
    std::set<std::string_view> names;
    auto last = Call::other;
    for (const auto& row : system_calls()) {
        INFO(row.name);
        CHECK(row.call > last);
        last = row.call;
        CHECK(names.insert(row.name).second);
        CHECK(call_from_name(row.name) == row.call);
        CHECK(to_string(row.call) == row.name);
        CHECK(&system_call(row.call) == &row);
    }
    CHECK(to_string(Call::other).empty());
    CHECK(effect_of(Call::other) == Effect::other);
    CHECK(call_from_name("") == Call::other);
    CHECK(call_from_name("Execve") == Call::other);
    CHECK(is_exec(Call::execve));
    CHECK(is_exec(Call::execveat));
    CHECK(!is_exec(Call::fork));
}

TEST_CASE("each number of each processor leads to its call and back") {
    for (const auto& architecture : architectures()) {
        std::set<std::uint32_t> numbers;
        for (const auto& row : system_calls()) {
            const auto number = number_of(row.call, architecture);
            INFO(architecture.name << " " << row.name);
            if (number) {
                CHECK(numbers.insert(*number).second);
                CHECK(call_of(architecture, *number) == row.call);
            }
        }
        CHECK(numbers.size() > 20);
        std::set<std::uint32_t> found;
        for (std::uint32_t number = 0; number < 2000; ++number) {
            if (call_of(architecture, number) != Call::other) {
                found.insert(number);
            }
        }
        CHECK(found == numbers);
        CHECK_FALSE(number_of(Call::other, architecture).has_value());
    }
}

// The table's numbers beside those of two libraries, wherever these know the name.
TEST_CASE("the numbers are those that libaudit knows") {
    std::size_t compared = 0;
    for (const auto& architecture : architectures()) {
        const int machine = audit_elf_to_machine(architecture.value);
        for (const auto& row : system_calls()) {
            const int known = machine < 0 ? -1 : audit_name_to_syscall(std::string(row.name).c_str(), machine);
            // libaudit has one table for ppc and ppc64, and calls riscv32's 45 truncate64: the numbers that most
            // processors have in common are named here as 64-bit ones do.
            const bool named_as_wide = architecture.wide() || architecture.numbering == Numbering::generic;
            if (known < 0 || (row.marks.narrow && named_as_wide)) {
                continue;
            }
            INFO(architecture.name << " " << row.name);
            CHECK(number_of(row.call, architecture) == static_cast<std::uint32_t>(known));
            ++compared;
        }
    }
    CHECK(compared > 300);
}

TEST_CASE("the numbers are those that libseccomp knows, x32's too") {
    constexpr std::uint32_t armeb = 0x28;
    std::size_t compared = 0;
    for (const auto& row : system_calls()) {
        const std::string name(row.name);
        for (const auto& architecture : architectures()) {
            const auto known = seccomp_syscall_resolve_name_arch(architecture.value, name.c_str());
            if (known < 0 || architecture.value == armeb) { // negative: not there, or a part of socketcall
                continue;
            }
            INFO(architecture.name << " " << name);
            CHECK(number_of(row.call, architecture) == static_cast<std::uint32_t>(known));
            ++compared;
        }
        if (seccomp_syscall_resolve_name(name.c_str()) == __NR_SCMP_ERROR) {
            continue; // newer than the library
        }
        const auto x32 = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, name.c_str());
        const auto number = row.numbers[static_cast<std::size_t>(Numbering::x32)];
        INFO(name << " of x32");
        CHECK((x32 < 0 ? -1 : static_cast<int>(static_cast<std::uint32_t>(x32) - x32_bit)) == number);
        if (number >= 0) {
            CHECK(call_of(at(x86_64), x32_bit + static_cast<std::uint64_t>(number)) == row.call);
        }
    }
    CHECK(compared > 300);
}

TEST_CASE("an operation of io_uring is the call of its name") {
    // linux/io_uring.h counts its operations; a few at their places, and the ends.
    CHECK(uring_call(18) == Call::openat);
    CHECK(uring_call(28) == Call::openat2);
    CHECK(uring_call(35) == Call::renameat);
    CHECK(uring_call(0) == Call::other);
    CHECK(uring_call(UINT64_MAX) == Call::other);
    std::size_t known = 0;
    for (std::uint64_t operation = 0; operation < 256; ++operation) {
        if (const auto call = uring_call(operation); call != Call::other) {
            CHECK(uring_operation(call) == operation);
            CHECK(is_file(effect_of(call)));
            ++known;
        }
    }
    CHECK(known == 10);
    CHECK_FALSE(uring_operation(Call::execve).has_value());
}

TEST_CASE("which number is an exec goes by the architecture") {
    struct Row {
        std::uint32_t arch;
        std::uint64_t number;
        Call expected;
    };
    for (const auto& [arch, number, expected] : std::vector<Row>{
             {x86_64, 59, Call::execve},
             {x86_64, 322, Call::execveat},
             {x86_64, 11, Call::other},
             {x86_64, x32_bit + 520, Call::execve},
             {x86_64, x32_bit + 545, Call::execveat},
             {x86_64, x32_bit + 59, Call::other}, // x32 has no such call
             {x86_64, 520, Call::other},          // nor has x86_64 x32's
             {x86_64, 0xffffffff, Call::other},
             {x86_64, UINT64_MAX, Call::other},
             {x86_64, 599, Call::other},
             {x86_64, 600, Call::other},
             {i386, 11, Call::execve},
             {i386, 358, Call::execveat},
             {i386, 59, Call::other}, // olduname
             {i386, x32_bit + 11, Call::other},
             {arm, 11, Call::execve},
             {arm, 387, Call::execveat},
             {aarch64, 221, Call::execve},
             {aarch64, 281, Call::execveat},
             {aarch64, 59, Call::other},
             {ppc64le, 11, Call::execve},
             {ppc64, 11, Call::execve},
             {ppc, 11, Call::execve},
             {s390x, 11, Call::execve},
             {s390, 11, Call::execve},
             {riscv64, 221, Call::execve},
             {riscv64, 281, Call::execveat},
             {loongarch64, 221, Call::execve},
             {loongarch64, 59, Call::other},
         }) {
        CAPTURE(arch, number);
        CHECK(call_of(at(arch), number) == expected);
    }
}

TEST_CASE("calls of 32-bit programs alone are none of the 64-bit processor with the same numbers") {
    CHECK(call_of(at(ppc), 193) == Call::truncate64);
    CHECK(call_of(at(ppc64le), 193) == Call::other);
    CHECK(number_of(Call::mmap2, at(s390)) == 192U);
    CHECK_FALSE(number_of(Call::mmap2, at(s390x)).has_value());
}

TEST_CASE("where a call's arguments lie in memory, a0 to a3 are none") {
    CHECK(shows_arguments(Call::mmap, at(x86_64)));
    CHECK(shows_arguments(Call::mmap, at(aarch64)));
    CHECK_FALSE(shows_arguments(Call::mmap, at(i386)));
    CHECK(shows_arguments(Call::mmap2, at(i386)));
    CHECK_FALSE(shows_arguments(Call::mmap2, at(s390)));
    CHECK_FALSE(shows_arguments(Call::mmap, at(s390x)));
}

TEST_CASE("socketcall's a0 tells which call it makes") {
    CHECK(socket_call(3) == Call::connect);
    CHECK(socket_call(11) == Call::sendto);
    CHECK(socket_call(0) == Call::other);
    CHECK(socket_call(2) == Call::other); // bind: its address is this machine's own
    CHECK(socket_call(UINT64_MAX) == Call::other);
    CHECK(socket_call(256 + 3) == Call::other);
}

TEST_CASE("an architecture is read as a number or by its name, whatever libaudit knows") {
    for (const auto& architecture : architectures()) {
        CHECK(architecture_of(architecture.name) == &architecture);
        CHECK(architecture_of(architecture.value) == &architecture);
        CHECK((architecture.narrow.empty() || architecture_of(architecture.narrow) != nullptr));
        const int machine = audit_elf_to_machine(architecture.value);
        const auto* const name = machine < 0 ? nullptr : audit_machine_to_name(machine);
        CHECK((name == nullptr || architecture_of(name) != nullptr));
    }
    CHECK(architecture_of("c000003e") == architecture_of("x86_64"));
    CHECK(architecture_of("40000003") == architecture_of("i386"));
    CHECK(architecture_of("i686") == architecture_of("i386"));
    CHECK(architecture_of("armv7l") == architecture_of("arm"));
    CHECK(architecture_of("14")->name == "ppc");
    CHECK(architecture_of("") == nullptr);
    CHECK(architecture_of("0") == nullptr);
    CHECK(architecture_of("x86-64") == nullptr);
    CHECK(architecture_of("1c000003e") == nullptr);
}
