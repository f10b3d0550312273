// Typed events as the host tables take them.
#pragma once

#include <optional>

#include "luatrail/audit/typed.hpp"
#include "luatrail/host/file_ledger.hpp"
#include "luatrail/host/process_table.hpp"

namespace luatrail::host {

// Nothing when the event names no process. The views are the event's.
std::optional<Sighting> sighting_of(const audit::TypedEvent& event);

// The identity of a PATH item's file; nothing without inode or device (kernels log dev and inode 0 for what does not
// exist).
std::optional<FileId> file_id_of(const audit::PathItem& item);

std::vector<PathItem> path_items_of(const audit::TypedEvent& event);

// A system call that changed names, contents or the executable bits of files; nothing for reads, failed calls and the
// rest. `who` is the image of the process that made it.
std::optional<FileEvent> file_event_of(const audit::TypedEvent& event, ProcessRef who);

} // namespace luatrail::host
