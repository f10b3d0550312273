#include "luatrail/host/file_event.hpp"

#include <algorithm>

#include <fcntl.h>

namespace luatrail::host {
namespace {

using audit::Effect;

// The descriptor is an int, logged as the register's full width or its lower half: ffffff9c and ffffffffffffff9c are
// AT_FDCWD.
bool is_at_cwd(std::uint64_t argument) {
    return static_cast<std::int32_t>(argument & 0xffffffffU) == AT_FDCWD;
}

std::uint64_t open_flags(const audit::TypedEvent& event, const audit::SystemCall& row) {
    return row.arguments.flags >= 0 ? event.syscall.a[row.arguments.flags] : event.open_flags.value_or(0);
}

bool opens_for_writing(const audit::TypedEvent& event, const audit::SystemCall& row) {
    const auto flags = open_flags(event, row);
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

// O_TMPFILE without the O_DIRECTORY in it, whose value depends on the architecture (asm-generic/fcntl.h).
bool opens_nameless(const audit::TypedEvent& event, const audit::SystemCall& row) {
    constexpr std::uint64_t tmpfile_bit = 020000000;
    return row.effect == Effect::open && (open_flags(event, row) & tmpfile_bit) != 0;
}

bool has_nametype(const audit::TypedEvent& event, audit::PathItem::NameType type) {
    for (const auto& item : event.paths) {
        if (item.nametype == type) {
            return true;
        }
    }
    return false;
}

// The value of system.posix_acl_access: a version of four bytes, then eight for each entry, of which there are at least
// three (linux/posix_acl_xattr.h). Labels of SELinux and the notes that browsers leave mostly have another size; that
// of setxattrat stands in memory.
bool may_be_access_list(const audit::TypedEvent& event, const audit::SystemCall& row) {
    constexpr std::uint64_t least = 4 + 3 * 8;
    const auto size = row.arguments.size < 0 ? least : event.syscall.a[row.arguments.size];
    return size >= least && size % 8 == 4;
}

// Only a change that makes a file executable shows a script being made ready; the item's mode is that before the call.
bool makes_executable(const audit::TypedEvent& event, const audit::SystemCall& row) {
    constexpr std::uint32_t executable = 0111;
    if (row.arguments.mode < 0) {
        constexpr std::uint32_t kind = 0170000;
        constexpr std::uint32_t regular = 0100000;
        const auto plain = [](const audit::PathItem& item) {
            return item.mode && (*item.mode & kind) == regular && (*item.mode & executable) != executable;
        };
        return may_be_access_list(event, row) && std::any_of(event.paths.begin(), event.paths.end(), plain);
    }
    const auto mode = static_cast<std::uint32_t>(event.syscall.a[row.arguments.mode]);
    if ((mode & executable) == 0) {
        return false;
    }
    for (const auto& item : event.paths) {
        if (item.mode && (*item.mode & executable) == executable) {
            return false;
        }
    }
    return true;
}

} // namespace

std::optional<FileEvent> file_event_of(const audit::TypedEvent& event, ProcessRef by) {
    const auto& call = event.syscall;
    if (!event.has_syscall || call.success == false || event.paths.empty()) {
        return std::nullopt;
    }
    const auto& row = audit::system_call(call.call);
    const bool opens = row.effect == Effect::open;
    if (!audit::is_file(row.effect) || (row.effect == Effect::chmod && !makes_executable(event, row))) {
        return std::nullopt;
    }
    FileEvent file;
    file.typed = &event;
    file.writes = row.marks.writes || (opens && opens_for_writing(event, row));
    if (opens && !file.writes && !has_nametype(event, audit::PathItem::NameType::create)) {
        return std::nullopt;
    }
    file.call = row.effect;
    file.unnamed = opens_nameless(event, row);
    const auto relative_to_cwd = [&call](int descriptor) { return descriptor < 0 || is_at_cwd(call.a[descriptor]); };
    file.at_cwd = relative_to_cwd(row.arguments.descriptor);
    file.at_cwd_second = relative_to_cwd(row.arguments.second_descriptor);
    file.by = by;
    return file;
}

} // namespace luatrail::host
