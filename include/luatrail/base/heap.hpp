// What values take on the heap, beside their own size: for base::Budget.
//
// Counted as glibc's malloc and libstdc++ lay it out on 64 bits: a block has 8 bytes of malloc's own and comes in steps
// of 16 bytes, at least 32. What a container has reserved counts, not what it uses.
//
//     heap_of(text), heap_of(values)   a value's own blocks, and those of its elements
//     block(size)                      a block of `size` bytes that the caller allocates
//     list_node<T>(), map_node<K, V>(), hash_node<K, V>()   one element of such a container, without what the element
//                                      itself holds on the heap
//     hash_buckets(table)              the array of a hash table, whatever it holds
//
// A hash table keeps its array when it loses elements; shrink_buckets() after each gives it back in time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace luatrail::base {

constexpr std::size_t block(std::size_t size) {
    constexpr std::size_t head = 8, step = 16, least = 32;
    return size == 0 ? 0 : std::max(least, (size + head + step - 1) / step * step);
}

// Nothing for what has no heap of its own.
template <class T>
requires std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_pointer_v<T>
constexpr std::size_t heap_of(const T& /*value*/) {
    return 0;
}

// None while the text fits into the string itself.
inline std::size_t heap_of(const std::string& text) {
    static const std::size_t in_place = std::string().capacity();
    return text.capacity() > in_place ? block(text.capacity() + 1) : 0;
}

template <class T>
std::size_t heap_of(const std::optional<T>& value);

// Elements that have no heap of their own need not be walked over.
template <class T>
inline constexpr bool is_flat = std::is_trivially_destructible_v<T>;

template <class T>
std::size_t heap_of(const std::vector<T>& values) {
    // NOLINTNEXTLINE(bugprone-sizeof-expression): elements may be pointers
    std::size_t bytes = block(values.capacity() * sizeof(T));
    if constexpr (!is_flat<T>) {
        for (const T& value : values) {
            bytes += heap_of(value);
        }
    }
    return bytes;
}

// Blocks of 512 bytes, or of one element where that is larger, and an array that leads to them.
template <class T>
std::size_t deque_blocks(const std::deque<T>& values) {
    constexpr std::size_t in_a_block = sizeof(T) < 512 ? 512 / sizeof(T) : 1;
    const std::size_t blocks = values.size() / in_a_block + 1;
    return blocks * block(in_a_block * sizeof(T)) + block(std::max<std::size_t>(8, blocks + 2) * sizeof(void*));
}

template <class T>
std::size_t heap_of(const std::deque<T>& values) {
    std::size_t bytes = deque_blocks(values);
    if constexpr (!is_flat<T>) {
        for (const T& value : values) {
            bytes += heap_of(value);
        }
    }
    return bytes;
}

template <class T>
std::size_t heap_of(const std::optional<T>& value) {
    return value ? heap_of(*value) : 0;
}

template <class T>
constexpr std::size_t list_node() {
    // NOLINTNEXTLINE(bugprone-sizeof-expression): elements may be pointers
    return block(sizeof(T) + 2 * sizeof(void*));
}

template <class Key, class Value>
constexpr std::size_t map_node() {
    return block(sizeof(std::pair<const Key, Value>) + 4 * sizeof(void*));
}

// `hash_kept`: libstdc++ keeps the hash beside keys that are slow to hash (strings).
template <class Key, class Value>
constexpr std::size_t hash_node(bool hash_kept = false) {
    return block(sizeof(std::pair<const Key, Value>) + (hash_kept ? 2 : 1) * sizeof(void*));
}

template <class Table>
std::size_t hash_buckets(const Table& table) {
    return table.bucket_count() <= 1 ? 0 : block(table.bucket_count() * sizeof(void*)); // the first is in the table
}

// Pointers to elements stay valid, iterators don't.
template <class Table>
void shrink_buckets(Table& table) {
    constexpr std::size_t least = 64, sparse = 8;
    if (table.bucket_count() > least && table.size() < table.bucket_count() / sparse) {
        table.rehash(2 * table.size());
    }
}

} // namespace luatrail::base
