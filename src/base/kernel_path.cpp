#include "luatrail/base/kernel_path.hpp"

#include <algorithm>
#include <vector>

namespace luatrail::base {
namespace {

constexpr std::string_view deleted = " (deleted)"; // fs/d_path.c

} // namespace

bool is_deleted(std::string_view path) {
    return path.ends_with(deleted);
}

std::string_view without_deleted(std::string_view path) {
    return is_deleted(path) ? path.substr(0, path.size() - deleted.size()) : path;
}

bool is_memfd(std::string_view path) {
    return path.starts_with("/memfd:"); // mm/memfd.c
}

bool names_descriptor(std::string_view path) {
    if (path.empty() || path.front() != '/') {
        return false;
    }
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const auto part = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(part.size() + 1, path.size()));
        if (part == "..") {
            if (!parts.empty()) {
                parts.pop_back();
            }
        } else if (!part.empty() && part != ".") {
            parts.push_back(part);
        }
    }
    if (parts.size() == 2) {
        return parts[0] == "dev" && parts[1] == "stdin";
    }
    if (parts.size() == 3) {
        return parts[0] == "dev" && parts[1] == "fd";
    }
    const bool of_process = parts.size() == 4 || (parts.size() == 6 && parts[2] == "task");
    const auto kind = of_process ? parts[parts.size() - 2] : std::string_view();
    return of_process && parts[0] == "proc" && (kind == "fd" || kind == "map_files");
}

bool is_made_by_kernel(std::string_view path) {
    const auto below = [path](std::string_view directory) { return path.starts_with(directory); };
    const bool link = path.find("/root/") != std::string_view::npos || path.find("/cwd/") != std::string_view::npos;
    const bool device = below("/dev/") && !below("/dev/shm/") && !below("/dev/mqueue/") && !below("/dev/fd");
    return (below("/proc/") && !link) || device;
}

} // namespace luatrail::base
