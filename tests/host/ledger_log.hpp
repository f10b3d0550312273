// Changes of files for the ledger's tests, event by event.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "luatrail/host/file_ledger.hpp"

namespace ledger_log {

using namespace luatrail;
using audit::PathItem;
using host::Change;
using host::ChangeKind;
using host::File;
using host::FileId;
using host::FileLedger;
using Call = audit::Effect;
using NameType = PathItem::NameType;

inline constexpr std::uint32_t regular = 0100644, directory = 040755, link_mode = 0120777;

inline FileId inode(std::uint64_t number, std::uint64_t dev = 0xfe00000000) {
    return {dev, number};
}

inline PathItem item(NameType type, std::optional<std::string_view> name, std::optional<FileId> id,
                     std::optional<std::uint32_t> mode = regular) {
    PathItem made;
    made.name = name;
    made.mode = mode;
    made.nametype = type;
    if (id) {
        made.inode = id->inode;
        made.dev = id->dev;
    }
    return made;
}
inline PathItem parent(std::string_view name, std::uint64_t number) {
    return item(NameType::parent, name, inode(number), directory);
}
inline PathItem create(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
    return item(NameType::create, name, inode(number), mode);
}
inline PathItem remove(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
    return item(NameType::remove, name, inode(number), mode);
}
inline PathItem normal(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
    return item(NameType::normal, name, inode(number), mode);
}

inline const char* text(ChangeKind kind) {
    const char* const names[] = {"create", "write", "rename", "link", "symlink", "chmod", "unlink"};
    return names[static_cast<int>(kind)];
}

// What a ledger takes, with the event that it views.
struct FileEvent {
    audit::TypedEvent typed;
    host::FileEvent view;

    host::FileEvent event() const {
        auto event = view;
        event.typed = &typed;
        return event;
    }
};

// A log of one node: each call is one event, a second after the one before. /tmp is inode 2 and cwd, unless told
// otherwise.
struct Log {
    explicit Log(std::size_t capacity = 1 << 20) : budget(capacity), ledger(budget) {}

    base::Budget budget;
    FileLedger ledger;
    std::int64_t ms = 1'000'000;
    std::uint64_t serial = 0;
    std::string cwd = "/tmp";
    bool at_cwd = true;
    std::uint32_t pid = 10;

    FileEvent event(Call call, std::vector<PathItem> items) {
        FileEvent e;
        e.view.call = call;
        e.view.at_cwd = e.view.at_cwd_second = at_cwd;
        e.typed.id = {ms += 2000, ++serial};
        e.typed.has_syscall = true;
        e.typed.cwd = cwd;
        e.typed.paths = std::move(items);
        e.typed.syscall.pid = pid;
        return e;
    }
    void apply(const FileEvent& event) {
        ledger.apply(event.event());
        while (!budget.within() && ledger.give_way()) {
        }
    }
    void apply(Call call, std::vector<PathItem> items) { apply(event(call, std::move(items))); }
    void observe(std::optional<std::string_view> where, std::vector<PathItem> items, bool relative_to_it = true) {
        audit::TypedEvent typed;
        typed.cwd = where;
        typed.paths = std::move(items);
        ledger.observe(typed, relative_to_it);
    }
    void make(std::string_view name, std::uint64_t number) {
        apply(Call::open, {parent(cwd, 2), create(name, number)});
    }
    void mkdir(std::string_view name, std::uint64_t number) {
        apply(Call::mkdir, {parent(cwd, 2), create(name, number, directory)});
    }
    void write(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
        FileEvent e = event(Call::open, {normal(name, number, mode)});
        e.view.writes = true;
        apply(e);
    }
    void rename(std::string_view from, std::string_view to, std::uint64_t number, std::uint32_t mode = regular) {
        apply(Call::rename, {parent(cwd, 2), parent(cwd, 2), remove(from, number, mode), create(to, number, mode)});
    }
    void link(std::string_view from, std::string_view to, std::uint64_t number) {
        apply(Call::link, {parent(cwd, 2), normal(from, number), create(to, number)});
    }
    void symlink(std::string_view target, std::string_view name, std::uint64_t number) {
        apply(Call::symlink,
              {parent(cwd, 2), item(NameType::unknown, target, {}, {}), create(name, number, link_mode)});
    }
    void unlink(std::string_view name, std::uint64_t number, std::uint32_t mode = regular) {
        apply(Call::unlink, {parent(cwd, 2), remove(name, number, mode)});
    }

    // "create /tmp/a, rename /tmp/b | /tmp/b": the changes and the names; '?' behind an uncertain path.
    static std::string tell(const File* file) {
        if (file == nullptr) {
            return "unknown";
        }
        std::string told;
        for (const Change& change : file->changes) {
            told += (told.empty() ? "" : ", ") + std::string(text(change.kind)) + " " + change.path +
                    (change.path_uncertain ? "?" : "");
        }
        told += " |";
        for (const std::string& path : file->paths) {
            told += " " + path;
        }
        return told + (file->deleted ? " deleted" : "");
    }
    std::string tell(std::uint64_t number) const { return tell(ledger.find(inode(number))); }
    std::string tell(std::string_view path) const { return tell(ledger.find(path)); }
};

} // namespace ledger_log
