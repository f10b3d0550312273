// Bytes with a first line that says what they are and whether they are whole: "luatrail KIND VERSION SIZE SHA256\n".
#pragma once

#include <string>
#include <string_view>

namespace luatrail::base {

struct Seal {
    std::string_view kind; // "state"
    int version = 0;       // of the bytes' meaning
};

std::string seal_line(const Seal& seal, std::string_view bytes);

enum class Sealed { whole, foreign, other_version, altered };

// What such bytes are; `rest` is set to what follows the first line when they are whole.
Sealed check_seal(const Seal& seal, std::string_view content, std::string_view& rest);

} // namespace luatrail::base
