#include "luatrail/audit/syscalls.hpp"

#include "luatrail/audit/field.hpp"

namespace luatrail::audit {
namespace {

using C = Call;
using E = Effect;

constexpr std::int16_t no = -1;

// Which argument is what, as the table names it.
constexpr Arguments flags{.flags = 1};
constexpr Arguments path_mode{.mode = 1};
constexpr Arguments at_path{.descriptor = 0};
constexpr Arguments at_flags{.descriptor = 0, .flags = 2};
constexpr Arguments at_mode{.descriptor = 0, .mode = 2};
constexpr Arguments at_both{.descriptor = 0, .second_descriptor = 2};
constexpr Arguments at_second{.descriptor = 1, .second_descriptor = 1}; // symlinkat(2): what it points to is no name
constexpr Arguments process{.process = 0};
constexpr Arguments process_second{.process = 1};
constexpr Arguments attribute{.size = 3};

constexpr std::uint8_t bit(Numbering numbering) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(numbering));
}

constexpr Marks writes{.writes = true};
constexpr Marks narrow_writes{.writes = true, .narrow = true};
constexpr Marks old_mmap{.packed = bit(Numbering::i386) | bit(Numbering::arm) | bit(Numbering::s390)};
constexpr Marks mmap2{.narrow = true, .packed = bit(Numbering::s390)};
constexpr Marks socketcall(std::uint8_t number) {
    return {.in_socketcall = number};
}

// The numbers: arch/*/.../syscall*.tbl of Linux. openat2 has its flags in memory: the record OPENAT2 shows them.
// clang-format off
constexpr SystemCall table[] = {
                                                             // x86_64 x32 i386  arm  gen  ppc s390
    {C::execve,            "execve",            E::exec,        { 59, 520,  11,  11, 221,  11,  11}, {}, "x"},
    {C::execveat,          "execveat",          E::exec,        {322, 545, 358, 387, 281, 362, 354}, {}, "x"},
    {C::fork,              "fork",              E::fork,        { 57,  57,   2,   2,  no,   2,   2}},
    {C::vfork,             "vfork",             E::fork,        { 58,  58, 190, 190,  no, 189, 190}},
    {C::clone,             "clone",             E::fork,        { 56,  56, 120, 120, 220, 120, 120}},
    {C::clone3,            "clone3",            E::fork,        {435, 435, 435, 435, 435, 435, 435}},
    {C::exit,              "exit",              E::exit_thread, { 60,  60,   1,   1,  93,   1,   1}},
    {C::exit_group,        "exit_group",        E::exit,        {231, 231, 252, 248,  94, 234, 248}},
    {C::open,              "open",              E::open,        {  2,   2,   5,   5,  no,   5,   5}, flags, "rw"},
    {C::openat,            "openat",            E::open,        {257, 257, 295, 322,  56, 286, 288}, at_flags, "rw"},
    {C::openat2,           "openat2",           E::open,        {437, 437, 437, 437, 437, 437, 437}, at_path, "rw"},
    {C::open_by_handle_at, "open_by_handle_at", E::open,        {304, 304, 342, 371, 265, 346, 336}, at_flags},
    {C::creat,             "creat",             E::open,        { 85,  85,   8,   8,  no,   8,   8}, {}, "w", writes},
    {C::mkdir,             "mkdir",             E::mkdir,       { 83,  83,  39,  39,  no,  39,  39}, {}, "w"},
    {C::mkdirat,           "mkdirat",           E::mkdir,       {258, 258, 296, 323,  34, 287, 289}, at_path, "w"},
    {C::mknod,             "mknod",             E::mknod,       {133, 133,  14,  14,  no,  14,  14}, {}, "w"},
    {C::mknodat,           "mknodat",           E::mknod,       {259, 259, 297, 324,  33, 288, 290}, at_path, "w"},
    {C::rename,            "rename",            E::rename,      { 82,  82,  38,  38,  no,  38,  38}, {}, "w"},
    {C::renameat,          "renameat",          E::rename,      {264, 264, 302, 329,  38, 293, 295}, at_both, "w"},
    {C::renameat2,         "renameat2",         E::rename,      {316, 316, 353, 382, 276, 357, 347}, at_both, "w"},
    {C::link,              "link",              E::link,        { 86,  86,   9,   9,  no,   9,   9}, {}, "wa"},
    {C::linkat,            "linkat",            E::link,        {265, 265, 303, 330,  37, 294, 296}, at_both, "wa"},
    {C::symlink,           "symlink",           E::symlink,     { 88,  88,  83,  83,  no,  83,  83}, {}, "w"},
    {C::symlinkat,         "symlinkat",         E::symlink,     {266, 266, 304, 331,  36, 295, 297}, at_second, "w"},
    {C::unlink,            "unlink",            E::unlink,      { 87,  87,  10,  10,  no,  10,  10}, {}, "w"},
    {C::unlinkat,          "unlinkat",          E::unlink,      {263, 263, 301, 328,  35, 292, 294}, at_path, "w"},
    {C::rmdir,             "rmdir",             E::rmdir,       { 84,  84,  40,  40,  no,  40,  40}, {}, "w"},
    {C::chmod,             "chmod",             E::chmod,       { 90,  90,  15,  15,  no,  15,  15}, path_mode, "a"},
    {C::fchmod,            "fchmod",            E::chmod,       { 91,  91,  94,  94,  52,  94,  94}, path_mode, "a"},
    {C::fchmodat,          "fchmodat",          E::chmod,       {268, 268, 306, 333,  53, 297, 299}, at_mode, "a"},
    {C::fchmodat2,         "fchmodat2",         E::chmod,       {452, 452, 452, 452, 452, 452, 452}, at_mode},
    // An attribute may be an access list, which makes a file executable as a mode does.
    {C::setxattr,          "setxattr",          E::chmod,       {188, 188, 226, 226,   5, 209, 224}, attribute, "a"},
    {C::lsetxattr,         "lsetxattr",         E::chmod,       {189, 189, 227, 227,   6, 210, 225}, attribute, "a"},
    {C::fsetxattr,         "fsetxattr",         E::chmod,       {190, 190, 228, 228,   7, 211, 226}, attribute, "a"},
    {C::setxattrat,        "setxattrat",        E::chmod,       {463, 463, 463, 463, 463, 463, 463}, at_path, "a"},
    {C::truncate,          "truncate",          E::truncate,    { 76,  76,  92,  92,  45,  92,  92}, {}, "w", writes},
    {C::truncate64,        "truncate64",        E::truncate,    { no,  no, 193, 193,  no, 193, 193}, {}, "w", narrow_writes},
    {C::ftruncate,         "ftruncate",         E::truncate,    { 77,  77,  93,  93,  46,  93,  93}, {}, "w", writes},
    {C::ftruncate64,       "ftruncate64",       E::truncate,    { no,  no, 194, 194,  no, 194, 194}, {}, "w", narrow_writes},
    {C::memfd_create,      "memfd_create",      E::memfd,       {319, 319, 356, 385, 279, 360, 350}},
    {C::mmap,              "mmap",              E::map,         {  9,   9,  90,  90, 222,  90,  90}, {}, "", old_mmap},
    {C::mmap2,             "mmap2",             E::map,         { no,  no, 192, 192,  no, 192, 192}, {}, "", mmap2},
    {C::mprotect,          "mprotect",          E::protect,     { 10,  10, 125, 125, 226, 125, 125}},
    {C::pkey_mprotect,     "pkey_mprotect",     E::protect,     {329, 329, 380, 394, 288, 386, 384}},
    {C::ptrace,            "ptrace",            E::trace,       {101, 521,  26,  26, 117,  26,  26}, process_second},
    {C::process_vm_writev, "process_vm_writev", E::poke,        {311, 540, 348, 377, 271, 352, 341}, process},
    {C::pidfd_getfd,       "pidfd_getfd",       E::take,        {438, 438, 438, 438, 438, 438, 438}},
    {C::mount,             "mount",             E::mount,       {165, 165,  21,  21,  40,  21,  21}},
    {C::umount2,           "umount2",           E::unmount,     {166, 166,  52,  52,  39,  52,  52}},
    {C::move_mount,        "move_mount",        E::mount,       {429, 429, 429, 429, 429, 429, 429}},
    {C::open_tree,         "open_tree",         E::mount,       {428, 428, 428, 428, 428, 428, 428}},
    {C::fsopen,            "fsopen",            E::mount,       {430, 430, 430, 430, 430, 430, 430}},
    {C::fsmount,           "fsmount",           E::mount,       {432, 432, 432, 432, 432, 432, 432}},
    {C::socket,            "socket",            E::other,       { 41,  41, 359, 281, 198, 326, 359}, {}, "", socketcall(1)},
    {C::connect,           "connect",           E::connect,     { 42,  42, 362, 283, 203, 328, 362}, {}, "", socketcall(3)},
    {C::send,              "send",              E::other,       { no,  no,  no, 289,  no, 334,  no}, {}, "", socketcall(9)},
    {C::sendto,            "sendto",            E::send,        { 44,  44, 369, 290, 206, 335, 369}, {}, "", socketcall(11)},
    {C::sendmsg,           "sendmsg",           E::send,        { 46, 518, 370, 296, 211, 341, 370}, {}, "", socketcall(16)},
    {C::sendmmsg,          "sendmmsg",          E::send,        {307, 538, 345, 374, 269, 349, 358}, {}, "", socketcall(20)},
    {C::socketcall,        "socketcall",        E::socket_call, { no,  no, 102, 102,  no, 102, 102}},
};
// clang-format on

struct UringOperation {
    std::uint8_t number;
    Call call;
};
constexpr UringOperation uring_operations[] = {
    {18, C::openat},    {28, C::openat2}, {35, C::renameat},  {36, C::unlinkat}, {37, C::mkdirat},
    {38, C::symlinkat}, {39, C::linkat},  {41, C::fsetxattr}, {42, C::setxattr}, {55, C::ftruncate},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(table); ++i) {
        if (static_cast<std::size_t>(table[i].call) != i + 1) {
            return false;
        }
    }
    return std::size(table) == static_cast<std::size_t>(Call::socketcall);
}
static_assert(in_order());

constexpr Architecture known_architectures[] = {
    {"x86_64", 0xc000003e, Numbering::x86_64, "i386"},   {"i386", 0x40000003, Numbering::i386, ""},
    {"aarch64", 0xc00000b7, Numbering::generic, "arm"},  {"arm", 0x40000028, Numbering::arm, ""},
    {"armeb", 0x00000028, Numbering::arm, ""},           {"ppc64le", 0xc0000015, Numbering::ppc, ""},
    {"ppc64", 0x80000015, Numbering::ppc, "ppc"},        {"ppc", 0x00000014, Numbering::ppc, ""},
    {"s390x", 0x80000016, Numbering::s390, "s390"},      {"s390", 0x00000016, Numbering::s390, ""},
    {"riscv64", 0xc00000f3, Numbering::generic, ""},     {"riscv32", 0x400000f3, Numbering::generic, ""},
    {"loongarch64", 0xc0000102, Numbering::generic, ""},
};

struct OtherName {
    std::string_view name, architecture;
};
constexpr OtherName other_names[] = {
    // of uname(2)
    {"i486", "i386"},     {"i586", "i386"},  {"i686", "i386"},  {"armv5tel", "arm"},
    {"armv5tejl", "arm"}, {"armv6l", "arm"}, {"armv7l", "arm"}, {"armv8l", "aarch64"},
};

constexpr std::uint64_t x32_bit = 0x40000000;
constexpr std::size_t numbers_end = 600; // of the table

using CallsByNumber = std::array<Call, numbers_end>;

constexpr std::array<CallsByNumber, numberings> by_number() {
    std::array<CallsByNumber, numberings> calls{};
    for (const auto& row : table) {
        for (std::size_t i = 0; i < numberings; ++i) {
            if (row.numbers[i] != no) {
                calls[i][static_cast<std::size_t>(row.numbers[i])] = row.call;
            }
        }
    }
    return calls;
}
constexpr auto calls_by_number = by_number();

constexpr SystemCall no_call{};

} // namespace

std::span<const SystemCall> system_calls() {
    return table;
}

const SystemCall& system_call(Call call) {
    return call == Call::other ? no_call : table[static_cast<std::size_t>(call) - 1];
}

Call call_from_name(std::string_view name) {
    for (const auto& row : table) {
        if (row.name == name) {
            return row.call;
        }
    }
    return Call::other;
}

std::span<const Architecture> architectures() {
    return known_architectures;
}

const Architecture* architecture_of(std::uint32_t value) {
    for (const auto& one : known_architectures) {
        if (one.value == value) {
            return &one;
        }
    }
    return nullptr;
}

const Architecture* architecture_of(std::string_view text) {
    static const Architecture* const most = architecture_of(std::uint32_t{0xc000003e});
    if (text == "c000003e") {
        return most;
    }
    if (const auto value = parse_hex(text)) {
        return *value <= UINT32_MAX ? architecture_of(static_cast<std::uint32_t>(*value)) : nullptr;
    }
    for (const auto& other : other_names) {
        text = other.name == text ? other.architecture : text;
    }
    for (const auto& one : known_architectures) {
        if (one.name == text) {
            return &one;
        }
    }
    return nullptr;
}

Call call_of(const Architecture& architecture, std::uint64_t number) {
    auto numbering = architecture.numbering;
    if (numbering == Numbering::x86_64 && (number & x32_bit) != 0) {
        numbering = Numbering::x32;
        number -= x32_bit;
    }
    if (number >= numbers_end) {
        return Call::other;
    }
    const auto call = calls_by_number[static_cast<std::size_t>(numbering)][static_cast<std::size_t>(number)];
    return architecture.wide() && system_call(call).marks.narrow ? Call::other : call;
}

std::optional<std::uint32_t> number_of(Call call, const Architecture& architecture) {
    const auto& row = system_call(call);
    const auto number = row.numbers[static_cast<std::size_t>(architecture.numbering)];
    const bool missing = call == Call::other || number == no || (architecture.wide() && row.marks.narrow);
    return missing ? std::nullopt : std::optional(static_cast<std::uint32_t>(number));
}

bool shows_arguments(Call call, const Architecture& architecture) {
    return (system_call(call).marks.packed & bit(architecture.numbering)) == 0;
}

Call uring_call(std::uint64_t operation) {
    for (const auto& one : uring_operations) {
        if (one.number == operation) {
            return one.call;
        }
    }
    return Call::other;
}

std::optional<std::uint32_t> uring_operation(Call call) {
    for (const auto& one : uring_operations) {
        if (one.call == call) {
            return one.number;
        }
    }
    return std::nullopt;
}

Call socket_call(std::uint64_t a0) {
    for (const auto& row : table) {
        if (a0 != 0 && row.marks.in_socketcall == a0) {
            return row.call;
        }
    }
    return Call::other;
}

} // namespace luatrail::audit
