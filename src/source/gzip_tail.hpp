// The last readable bytes of a truncated gzip file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace luatrail::source {

// libarchive's gzip reader decompresses 64 KiB at a time and, when the data end in the middle, throws away what it had
// of them. A log that was cut off would lose its latest records, a small one all of them. So the file is read once
// more, through zlib. Calls `use` with the bytes behind the first `skip`. Nothing happens when the file is no gzip
// file, or a compressed archive.
void visit_gzip_tail(const std::string& path, std::uint64_t skip, const std::function<void(std::string_view)>& use);

} // namespace luatrail::source
