// What strings cost beside their own size. Private to this room.
#pragma once

#include <cstddef>
#include <string>

namespace luatrail::host {

// Bytes on the heap: none while the text fits into the string itself.
inline std::size_t heap_of(const std::string& text) {
    static const std::size_t in_place = std::string().capacity();
    return text.capacity() > in_place ? text.capacity() + 1 : 0;
}

} // namespace luatrail::host
