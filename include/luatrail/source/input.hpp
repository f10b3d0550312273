// What `replay` and `events` read: files, directories of rotated logs, compressed and archived logs, standard input.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "luatrail/source/parser.hpp"

namespace luatrail::source {

// An input that could not be read, or not to its end. Processing goes on with the others.
struct InputFailure {
    std::string path;
    std::string
        reason; // "Permission denied", "truncated gzip data: read up to byte 4096", "no audit logs in this directory"
    std::string remedy; // "run as root or a member of the log's group", may be empty
};

// One readable thing. `path` is "-" for standard input.
struct Input {
    std::string path;
    std::optional<audit::EventId> first; // id of its first record; nothing when none was found in its first MiB
    std::uint64_t size = 0;              // bytes on disk, for progress; 0 when unknown
    // Where the input is a piece of a plain file, `size` bytes long, the byte at which it begins: rotated logs that
    // were put together in another order than their time's are read in that.
    std::optional<std::uint64_t> piece_at{};
    std::string host{}; // whose log it is by its path ("web1-audit.log", "web1/audit.log"), or empty
};

// Called with the number of raw bytes (as on disk) consumed since the last call. May be empty.
using Progress = std::function<void(std::uint64_t)>;

// Feeds the input's bytes to the parser, then parser.finish(). Compressed data (gz, xz, zst, bz2) and archives (tar,
// cpio, zip; every member that looks like an audit log, in the order of their content where that is known without
// reading twice, otherwise of the archive) are recognised by content through libarchive, not by name. A plain file is
// read with read(2) into a fixed buffer: no mapping that another process's truncation could turn into SIGBUS. Returns a
// failure when the input could not be opened or not be read to its end; what was read has been fed. A file whose
// content is not text (no record found and NUL bytes in its first 64 KiB) is a failure "binary file".
std::optional<InputFailure> read_input(const Input& input, Parser& parser, const Progress& progress = {});

} // namespace luatrail::source
