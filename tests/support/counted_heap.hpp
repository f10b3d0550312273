// What is really allocated, to compare with what a base::Budget was charged. Defines operator new and delete: to be
// included by one file of a test program.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include <malloc.h>

#include "luatrail/base/heap.hpp"

namespace luatrail {

inline std::size_t heap_bytes = 0; // in blocks that new made and delete did not take yet

inline void* counted(void* block, const std::nothrow_t& /*tag*/) noexcept {
    if (block != nullptr) {
        heap_bytes += base::block(::malloc_usable_size(block)); // a sanitizer's malloc has no steps of its own
    }
    return block;
}

inline void* counted(void* block) {
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    return counted(block, std::nothrow);
}

inline void uncounted(void* block) {
    if (block != nullptr) {
        heap_bytes -= base::block(::malloc_usable_size(block));
        std::free(block);
    }
}

} // namespace luatrail

void* operator new(std::size_t size) {
    return luatrail::counted(std::malloc(size == 0 ? 1 : size));
}
void* operator new[](std::size_t size) {
    return luatrail::counted(std::malloc(size == 0 ? 1 : size));
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return luatrail::counted(std::malloc(size == 0 ? 1 : size), std::nothrow);
}
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return luatrail::counted(std::malloc(size == 0 ? 1 : size), std::nothrow);
}
void operator delete(void* block) noexcept {
    luatrail::uncounted(block);
}
void operator delete[](void* block) noexcept {
    luatrail::uncounted(block);
}
void operator delete(void* block, std::size_t /*size*/) noexcept {
    luatrail::uncounted(block);
}
void operator delete[](void* block, std::size_t /*size*/) noexcept {
    luatrail::uncounted(block);
}
