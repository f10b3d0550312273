// Which files of a directory or an archive are logs, by their names.
#pragma once

#include <string_view>

namespace luatrail::source {

// "audit.log", "audit.log.4", "audit.log-20260131", and these with .gz, .xz, .zst, .bz2 or .lz4.
bool is_log_name(std::string_view name);

// "sosreport.tar.xz", "logs.tgz", "logs.zip", "logs.cpio".
bool is_archive_name(std::string_view name);

// "audit.log" and 4 of "audit.log.4.gz": auditd and logrotate count upwards from the newest, which has no number (0).
struct Rotation {
    std::string_view log;
    unsigned number = 0;
};
Rotation rotation_of(std::string_view name);

// The host's name in "web1-audit.log.2.gz"; empty in "audit.log.2.gz".
std::string_view host_in_name(std::string_view name);

} // namespace luatrail::source
