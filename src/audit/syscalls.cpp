#include "luatrail/audit/syscalls.hpp"

#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include <libaudit.h>

#include "luatrail/audit/field.hpp"

namespace luatrail::audit {
namespace {

constexpr std::array<std::pair<Call, std::string_view>, 39> call_names = {{
    {Call::execve, "execve"},
    {Call::execveat, "execveat"},
    {Call::fork, "fork"},
    {Call::vfork, "vfork"},
    {Call::clone, "clone"},
    {Call::clone3, "clone3"},
    {Call::exit, "exit"},
    {Call::exit_group, "exit_group"},
    {Call::open, "open"},
    {Call::openat, "openat"},
    {Call::openat2, "openat2"},
    {Call::creat, "creat"},
    {Call::mkdir, "mkdir"},
    {Call::mkdirat, "mkdirat"},
    {Call::mknod, "mknod"},
    {Call::mknodat, "mknodat"},
    {Call::rename, "rename"},
    {Call::renameat, "renameat"},
    {Call::renameat2, "renameat2"},
    {Call::link, "link"},
    {Call::linkat, "linkat"},
    {Call::symlink, "symlink"},
    {Call::symlinkat, "symlinkat"},
    {Call::unlink, "unlink"},
    {Call::unlinkat, "unlinkat"},
    {Call::rmdir, "rmdir"},
    {Call::chmod, "chmod"},
    {Call::fchmod, "fchmod"},
    {Call::fchmodat, "fchmodat"},
    {Call::fchmodat2, "fchmodat2"},
    {Call::truncate, "truncate"},
    {Call::ftruncate, "ftruncate"},
    {Call::memfd_create, "memfd_create"},
    {Call::mmap, "mmap"},
    {Call::mprotect, "mprotect"},
    {Call::ptrace, "ptrace"},
    {Call::process_vm_writev, "process_vm_writev"},
    {Call::connect, "connect"},
    {Call::socket, "socket"},
}};

// 64-bit architectures that libaudit 3 does not know use the kernel's generic numbers
// (include/uapi/asm-generic/unistd.h), as aarch64 does.
constexpr std::uint32_t arch_64bit = 0x80000000;
constexpr std::uint32_t arch_little_endian = 0x40000000;
constexpr std::uint32_t em_riscv = 243;
constexpr std::uint32_t em_loongarch = 258;

int machine_of(std::uint32_t arch) {
    const auto known = audit_elf_to_machine(arch);
    if (known >= 0) {
        return known;
    }
    if (arch == (arch_64bit | arch_little_endian | em_riscv) ||
        arch == (arch_64bit | arch_little_endian | em_loongarch)) {
        return MACH_AARCH64;
    }
    return -1;
}

constexpr std::uint32_t highest_number =
    600; // the kernel's tables end below 500; x32 and MIPS offsets are not audited as such

using CallTable = std::vector<Call>;

CallTable table_for(int machine) {
    CallTable table(highest_number, Call::other);
    for (std::uint32_t number = 0; number < highest_number; ++number) {
        if (const char* name = audit_syscall_to_name(static_cast<int>(number), machine)) {
            table[number] = call_from_name(name);
        }
    }
    return table;
}

} // namespace

std::string_view to_string(Call call) {
    for (const auto& [known, name] : call_names) {
        if (known == call) {
            return name;
        }
    }
    return "";
}

Call call_from_name(std::string_view name) {
    for (const auto& [call, known] : call_names) {
        if (known == name) {
            return call;
        }
    }
    return Call::other;
}

std::optional<Call> call_of(std::uint32_t arch, std::uint32_t number) {
    static const auto tables = [] {  // of the machines that this libaudit knows: those of version 4 are more
        constexpr int machines = 24; // machine_t of libaudit.h, with gaps
        std::vector<CallTable> made;
        made.reserve(machines);
        for (int machine = 0; machine < machines; ++machine) {
            made.push_back(table_for(machine));
        }
        return made;
    }();
    const int machine = machine_of(arch);
    if (machine < 0 || static_cast<std::size_t>(machine) >= tables.size()) {
        return std::nullopt;
    }
    const auto& table = tables[static_cast<std::size_t>(machine)];
    return number < table.size() ? table[number] : Call::other;
}

std::optional<std::uint32_t> arch_from(std::string_view text) {
    if (const auto number = parse_hex(text); number && *number <= UINT32_MAX) {
        return static_cast<std::uint32_t>(*number);
    }
    const int machine = audit_name_to_machine(std::string(text).c_str());
    if (machine < 0) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(audit_machine_to_elf(machine));
}

} // namespace luatrail::audit
