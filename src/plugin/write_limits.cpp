#include "plugin/write_limits.hpp"

#include <cstdint>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"

namespace luatrail::plugin {
namespace {

using base::Descriptor;

// struct landlock_ruleset_attr as of version 6; the headers of Linux 6.1 have its first field alone.
struct Handled {
    std::uint64_t files = 0, network = 0, scoped = 0;
};

constexpr std::uint64_t refer = 1U << 13U;    // LANDLOCK_ACCESS_FS_REFER, version 2
constexpr std::uint64_t truncate = 1U << 14U; // LANDLOCK_ACCESS_FS_TRUNCATE, version 3
constexpr std::uint64_t tcp = 3;              // LANDLOCK_ACCESS_NET_BIND_TCP and _CONNECT_TCP, version 4
constexpr std::uint64_t outside = 3;          // LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and _SIGNAL, version 6

std::uint64_t writes_of(int version) {
    return LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
           LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
           LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
           LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | (version >= 2 ? refer : 0) |
           (version >= 3 ? truncate : 0);
}

std::size_t size_of(int version) {
    constexpr std::size_t field = sizeof(std::uint64_t);
    return version >= 6 ? 3 * field : version >= 4 ? 2 * field : field;
}

void allow(int rules, const std::string& path, std::uint64_t access) {
    const Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    landlock_path_beneath_attr rule{access, place.get()};
    if (place.get() >= 0) { // else a write there fails, and says so
        ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
}

} // namespace

int limit_writes(const WritePlaces& places) {
    const auto version =
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
    if (version <= 0) {
        return 0;
    }
    Handled handled{writes_of(version), version >= 4 ? tcp : 0, version >= 6 ? outside : 0};
    const Descriptor rules(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, size_of(version), 0)));
    if (rules.get() < 0) {
        return 0;
    }
    const std::uint64_t rewrite = LANDLOCK_ACCESS_FS_WRITE_FILE | (version >= 3 ? truncate : 0);
    for (const auto& directory : places.directories) {
        allow(rules.get(), directory, rewrite | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE);
    }
    for (const auto& file : places.files) {
        allow(rules.get(), file, rewrite);
    }
    return ::syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0 ? version : 0;
}

} // namespace luatrail::plugin
