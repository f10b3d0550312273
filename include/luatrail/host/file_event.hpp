// Typed events as the file ledger takes them.
#pragma once

#include <optional>

#include "luatrail/audit/syscalls.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/host/actor.hpp"

namespace luatrail::host {

// A system call that changed names, contents or the executable bits of files: a view of its event, and what the call's
// row says of its arguments.
struct FileEvent {
    const audit::TypedEvent* typed = nullptr;  // outlives it
    audit::Effect call = audit::Effect::other; // one of a file's
    bool at_cwd = true;        // names are relative to cwd: not an *at call, or its descriptor was AT_FDCWD
    bool at_cwd_second = true; // the same of the second name (rename, link)
    bool writes = false;       // open: O_WRONLY, O_RDWR or O_TRUNC without creating
    bool unnamed = false;      // open: O_TMPFILE; its item's name is the directory's, its inode the nameless file's
    ProcessRef by;             // the image of the process that made it
    audit::Text exe;           // its program, where the record does not tell it
    std::optional<std::string> destination; // absolute: where its program was told to put files; only a guess
};

// Nothing for reads, failed calls and the rest.
std::optional<FileEvent> file_event_of(const audit::TypedEvent& event, ProcessRef by);

// The identity of a PATH item's file; nothing without inode or device (kernels log dev and inode 0 for what does not
// exist).
inline std::optional<FileId> file_id_of(const audit::PathItem& item) {
    if (!item.inode || !item.dev || *item.inode == 0) {
        return std::nullopt;
    }
    return FileId{.dev = *item.dev, .inode = *item.inode};
}

} // namespace luatrail::host
