// Names of the things that the host tables hold.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "luatrail/audit/record.hpp"

namespace luatrail::host {

// A file's identity: device and inode (PATH items' dev=MM:mm in hex and inode=). A container's /tmp/x has another dev
// than the host's.
struct FileId {
    std::uint64_t dev = 0; // major << 32 | minor
    std::uint64_t inode = 0;

    friend bool operator==(const FileId&, const FileId&) = default;
    friend auto operator<=>(const FileId&, const FileId&) = default;
};

// A handle of one process image in a ProcessTable: stays valid, and resolves to nothing once its entry was evicted.
struct ProcessRef {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0; // 0: no process

    explicit operator bool() const { return generation != 0; }
    friend bool operator==(const ProcessRef&, const ProcessRef&) = default;
};

template <class Archive>
void transfer(Archive& archive, FileId& id) { // base/pack.hpp
    archive(id.dev, id.inode);
}

template <class Archive>
void transfer(Archive& archive, ProcessRef& ref) {
    archive(ref.slot, ref.generation);
}

} // namespace luatrail::host

template <>
struct std::hash<luatrail::host::FileId> {
    std::size_t operator()(const luatrail::host::FileId& id) const noexcept {
        const auto mixed = (id.dev * 0x9e3779b97f4a7c15ULL) ^ (id.inode * 0xc2b2ae3d27d4eb4fULL);
        return static_cast<std::size_t>(mixed ^ (mixed >> 29U));
    }
};
