#include "luatrail/host/from_audit.hpp"

#include <fcntl.h>

namespace luatrail::host {
namespace {

using audit::Call;

// The descriptor is an int, logged as the register's full width or its lower half: ffffff9c and ffffffffffffff9c are
// AT_FDCWD.
bool is_at_cwd(std::uint64_t argument) {
    return static_cast<std::int32_t>(argument & 0xffffffffU) == AT_FDCWD;
}

struct Shape {
    FileEvent::Call call = FileEvent::Call::other;
    int descriptor = -1;        // which of a0..a3 names the directory; -1: relative to cwd
    int second_descriptor = -1; // of the second name
    int flags = -1;             // which holds open(2)'s flags
    int mode = -1;              // which holds the new mode
};

std::optional<Shape> shape_of(Call call) {
    using F = FileEvent::Call;
    switch (call) {
    case Call::open:
        return Shape{.call = F::open, .flags = 1};
    case Call::openat:
        return Shape{.call = F::open, .descriptor = 0, .flags = 2};
    case Call::openat2:
        return Shape{.call = F::open, .descriptor = 0};
    case Call::creat:
        return Shape{.call = F::open};
    case Call::mkdir:
        return Shape{.call = F::mkdir};
    case Call::mkdirat:
        return Shape{.call = F::mkdir, .descriptor = 0};
    case Call::mknod:
        return Shape{.call = F::mknod};
    case Call::mknodat:
        return Shape{.call = F::mknod, .descriptor = 0};
    case Call::rename:
        return Shape{.call = F::rename};
    case Call::renameat:
    case Call::renameat2:
        return Shape{.call = F::rename, .descriptor = 0, .second_descriptor = 2};
    case Call::link:
        return Shape{.call = F::link};
    case Call::linkat:
        return Shape{.call = F::link, .descriptor = 0, .second_descriptor = 2};
    case Call::symlink:
        return Shape{.call = F::symlink};
    case Call::symlinkat:
        return Shape{.call = F::symlink, .descriptor = 1, .second_descriptor = 1};
    case Call::unlink:
        return Shape{.call = F::unlink};
    case Call::unlinkat:
        return Shape{.call = F::unlink, .descriptor = 0};
    case Call::rmdir:
        return Shape{.call = F::rmdir};
    case Call::chmod:
    case Call::fchmod:
        return Shape{.call = F::chmod, .mode = 1};
    case Call::fchmodat:
    case Call::fchmodat2:
        return Shape{.call = F::chmod, .descriptor = 0, .mode = 2};
    case Call::truncate:
    case Call::ftruncate:
        return Shape{.call = F::truncate};
    default:
        return std::nullopt;
    }
}

bool opens_for_writing(const audit::TypedEvent& event, const Shape& shape) {
    if (event.syscall.call == Call::creat) {
        return true;
    }
    const auto flags = shape.flags >= 0 ? event.syscall.a[shape.flags] : event.open_flags.value_or(0);
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

// O_TMPFILE without the O_DIRECTORY in it, whose value depends on the architecture (asm-generic/fcntl.h).
bool opens_nameless(const audit::TypedEvent& event, const Shape& shape) {
    constexpr std::uint64_t tmpfile_bit = 020000000;
    const auto flags = shape.flags >= 0 ? event.syscall.a[shape.flags] : event.open_flags.value_or(0);
    return shape.call == FileEvent::Call::open && event.syscall.call != Call::creat && (flags & tmpfile_bit) != 0;
}

bool has_nametype(const audit::TypedEvent& event, audit::PathItem::NameType type) {
    for (const auto& item : event.paths) {
        if (item.nametype == type) {
            return true;
        }
    }
    return false;
}

// Only a chmod that makes a file executable tells of a script being made ready; the item's mode is that before the
// call.
bool makes_executable(const audit::TypedEvent& event, const Shape& shape) {
    constexpr std::uint32_t executable = 0111;
    const auto mode = static_cast<std::uint32_t>(event.syscall.a[shape.mode]);
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

std::optional<Sighting> sighting_of(const audit::TypedEvent& event) {
    const auto& call = event.syscall;
    if (!event.has_syscall || !call.pid) {
        return std::nullopt;
    }
    return Sighting{.event = event.id,
                    .pid = *call.pid,
                    .ppid = call.ppid,
                    .uid = call.uid,
                    .euid = call.euid,
                    .auid = call.auid,
                    .session = call.ses,
                    .exe = call.exe,
                    .comm = call.comm};
}

std::optional<FileId> file_id_of(const audit::PathItem& item) {
    if (!item.inode || !item.dev || *item.inode == 0) {
        return std::nullopt;
    }
    return FileId{.dev = *item.dev, .inode = *item.inode};
}

std::vector<PathItem> path_items_of(const audit::TypedEvent& event) {
    std::vector<PathItem> items;
    items.reserve(event.paths.size());
    for (const auto& item : event.paths) {
        items.push_back({.item = item.item,
                         .name = item.name,
                         .id = file_id_of(item),
                         .mode = item.mode,
                         .nametype = static_cast<PathItem::NameType>(item.nametype)});
    }
    return items;
}

std::optional<FileEvent> file_event_of(const audit::TypedEvent& event, ProcessRef who) {
    const auto& call = event.syscall;
    if (!event.has_syscall || call.success == false || event.paths.empty()) {
        return std::nullopt;
    }
    const auto shape = shape_of(call.call);
    if (!shape || (shape->call == FileEvent::Call::chmod && !makes_executable(event, *shape))) {
        return std::nullopt;
    }
    FileEvent file;
    file.writes = shape->call == FileEvent::Call::truncate ||
                  (shape->call == FileEvent::Call::open && opens_for_writing(event, *shape));
    if (shape->call == FileEvent::Call::open && !file.writes &&
        !has_nametype(event, audit::PathItem::NameType::create)) {
        return std::nullopt;
    }
    file.call = shape->call;
    file.unnamed = opens_nameless(event, *shape);
    file.event = event.id;
    file.cwd = event.cwd;
    file.at_cwd = shape->descriptor < 0 || is_at_cwd(call.a[shape->descriptor]);
    file.at_cwd_second = shape->second_descriptor < 0 || is_at_cwd(call.a[shape->second_descriptor]);
    file.items = path_items_of(event);
    file.by = who;
    file.by_pid = call.pid.value_or(0);
    file.by_exe = call.exe;
    file.by_uid = call.uid;
    return file;
}

} // namespace luatrail::host
