// System calls by meaning, over all architectures that libaudit knows.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace luatrail::audit {

// The calls that matter here; `other` for the rest. Which number is which on which architecture is libaudit's
// knowledge.
enum class Call : std::uint8_t {
    other,
    execve,
    execveat,
    fork,
    vfork,
    clone,
    clone3,
    exit,
    exit_group,
    open,
    openat,
    openat2,
    creat,
    mkdir,
    mkdirat,
    mknod,
    mknodat,
    rename,
    renameat,
    renameat2,
    link,
    linkat,
    symlink,
    symlinkat,
    unlink,
    unlinkat,
    rmdir,
    chmod,
    fchmod,
    fchmodat,
    fchmodat2,
    truncate,
    ftruncate,
    memfd_create,
    mmap,
    mprotect,
    ptrace,
    process_vm_writev,
    connect,
    socket,
};

std::string_view to_string(Call call); // "execve"; "" for other
Call call_from_name(std::string_view name);

inline bool is_exec(Call call) {
    return call == Call::execve || call == Call::execveat;
}

// `arch` is the field of SYSCALL as a number (0xc000003e: AUDIT_ARCH_X86_64 of linux/audit.h). Nothing when the
// architecture is unknown.
std::optional<Call> call_of(std::uint32_t arch, std::uint32_t number);

// "c000003e", or a name as half-interpreted logs have it ("x86_64"). Nothing when neither.
std::optional<std::uint32_t> arch_from(std::string_view text);

} // namespace luatrail::audit
