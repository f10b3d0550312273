// What an ELF file says that it needs: elf(5), "Dynamic tags". Only the file's headers are read, never the whole file.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace luatrail::base {

// The libraries that the dynamic loader brings in with the file (DT_NEEDED), as the file names them: "liblua5.4.so.0".
// Empty: it is linked statically. Nothing: no ELF file of this byte order, or one that contradicts itself. At most 512
// names of 255 bytes each are taken, whatever the file claims.
std::optional<std::vector<std::string>> needed_libraries(int fd);
std::optional<std::vector<std::string>> needed_libraries(const std::string& path);

} // namespace luatrail::base
