// The one table of system calls: what each that matters here is called, does and takes, and its number on each
// processor. All code and all tests that ask about a call ask this table; a verdict does not depend on the libaudit of
// the machine that replays.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace luatrail::audit {

// One enumerator for each row; `other` for every call that has none.
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
    open_by_handle_at,
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
    setxattr,
    lsetxattr,
    fsetxattr,
    setxattrat,
    truncate,
    truncate64,
    ftruncate,
    ftruncate64,
    memfd_create,
    mmap,
    mmap2,
    mprotect,
    pkey_mprotect,
    ptrace,
    process_vm_writev,
    pidfd_getfd,
    mount,
    umount2,
    move_mount,
    open_tree,
    fsopen,
    fsmount,
    socket,
    connect,
    send,
    sendto,
    sendmsg,
    sendmmsg,
    socketcall,
};

// What a call does, however it is spelled: truncate, ftruncate64 and their kin all truncate.
enum class Effect : std::uint8_t {
    other, // nothing that luatrail asks about
    exec,
    fork,
    exit_thread, // the thread's end, perhaps not its process's
    exit,
    // ---- files
    open, // for reading or for writing: by its flags
    mkdir,
    mknod,
    rename,
    link,
    symlink,
    unlink,
    rmdir,
    chmod,
    truncate,
    // ---- memory
    memfd,
    map,
    protect,
    trace, // ptrace(2): what it does stands in a0
    poke,  // writes into another process
    // ---- descriptors and mounts
    take,  // gets a descriptor that another process has open
    mount, // a file system comes to a place, or is made to: a path below it leads to another file
    unmount,
    // ---- network, with the peer in a SOCKADDR record
    connect,
    send,        // names a peer where the socket is not connected
    socket_call, // socketcall(2), one number for all calls on sockets: which, stands in a0
};

inline bool is_file(Effect effect) {
    return effect >= Effect::open && effect <= Effect::truncate;
}
inline bool is_memory(Effect effect) {
    return effect >= Effect::memfd && effect <= Effect::poke;
}
inline bool names_peer(Effect effect) {
    return effect == Effect::connect || effect == Effect::send;
}

// Processors that number their calls alike. `generic`: the kernel's include/uapi/asm-generic/unistd.h.
enum class Numbering : std::uint8_t { x86_64, x32, i386, arm, generic, ppc, s390 };
inline constexpr std::size_t numberings = 7;

// Which of a0..a3 is what; -1: none of them.
struct Arguments {
    std::int8_t descriptor = -1;        // the directory that the name is relative to; none: the working directory
    std::int8_t second_descriptor = -1; // the same of the second name
    std::int8_t flags = -1;             // open(2)'s
    std::int8_t mode = -1;              // the new mode
    std::int8_t process = -1;           // whose memory is touched
    std::int8_t size = -1;              // of an extended attribute's new value; its name is in memory
};

// What few calls have.
struct Marks {
    bool writes = false;            // its file's content, whatever its flags
    bool narrow = false;            // is there for 32-bit programs alone
    std::uint8_t packed = 0;        // bits by Numbering: a0 is the address of the arguments, which no record shows
    std::uint8_t in_socketcall = 0; // its number in socketcall(2)'s a0 (linux/net.h)
};

struct SystemCall {
    Call call = Call::other;
    std::string_view name;
    Effect effect = Effect::other;
    std::array<std::int16_t, numberings> numbers{}; // by Numbering; -1: it has no such call
    Arguments arguments{};
    // What perm= in an audit rule takes the call for, of "rwxa" (include/asm-generic/audit_*.h); "": nothing; "rw": the
    // kernel looks at its flags (kernel/auditsc.c, audit_match_perm).
    std::string_view perm{};
    Marks marks{};
};

// All rows but `other`, in the order of Call.
std::span<const SystemCall> system_calls();
const SystemCall& system_call(Call call); // of other: an empty row
Call call_from_name(std::string_view name);

inline std::string_view to_string(Call call) { // "execve"; "" for other
    return system_call(call).name;
}
inline Effect effect_of(Call call) {
    return system_call(call).effect;
}
inline bool is_exec(Call call) {
    return effect_of(call) == Effect::exec;
}

// A processor that the kernel's audit names.
struct Architecture {
    std::string_view name;   // "x86_64": libaudit's and, mostly, uname(2)'s
    std::uint32_t value = 0; // AUDIT_ARCH_* of linux/audit.h
    Numbering numbering = Numbering::generic;
    std::string_view narrow; // the name of the 32-bit one that its kernel runs as well; "": none

    bool wide() const { return (value & 0x80000000U) != 0; } // __AUDIT_ARCH_64BIT
};

std::span<const Architecture> architectures();

// By the field of SYSCALL: "c000003e", or a name as half-interpreted logs have it ("x86_64", "i686"). Null: unknown.
const Architecture* architecture_of(std::string_view text);
const Architecture* architecture_of(std::uint32_t value);

// x32's calls come as x86_64's with a bit in their number (__X32_SYSCALL_BIT).
Call call_of(const Architecture& architecture, std::uint64_t number);
// Nothing where the processor has no such call. Of x86_64's own calls, not of x32's.
std::optional<std::uint32_t> number_of(Call call, const Architecture& architecture);
// Whether a0..a3 hold the call's arguments, and not the address of them.
bool shows_arguments(Call call, const Architecture& architecture);

// What an operation of io_uring does is what a call does (linux/io_uring.h, IORING_OP_*): its record URINGOP and rules
// of the list io_uring name it by a number of its own. Call::other: none that matters here.
Call uring_call(std::uint64_t operation);
std::optional<std::uint32_t> uring_operation(Call call);

// The call that socketcall(2) makes by this a0; Call::other where it has no row.
Call socket_call(std::uint64_t a0);

} // namespace luatrail::audit
