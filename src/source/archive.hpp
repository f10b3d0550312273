// Compressed and archived logs, through libarchive.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "source/byte_source.hpp"

namespace luatrail::source {

// How many bytes looks_packed() needs to see.
inline constexpr std::size_t packed_mark_size = 512;

// By content: gzip, xz, lzma, zstd, bzip2, lz4 and compress streams; tar, cpio and zip archives.
bool looks_packed(std::string_view start);

struct Member {
    std::string name; // of an archive's member; empty for a file that is only compressed
    bool alone;       // the packed file is only compressed: it has no other member
};

// Called for each log; returns false to stop.
using MemberVisitor = std::function<bool(const Member& member, ByteSource& content)>;

// Visits what is in a packed file: the one file that was compressed, or each member of an archive that is named like a
// log; a member may itself be compressed. Returns an error's text, empty when all could be read.
std::string visit_logs(ByteSource& packed, const MemberVisitor& visit);

} // namespace luatrail::source
