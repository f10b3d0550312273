#include "luatrail/host/paths.hpp"

#include <algorithm>

namespace luatrail::host {

namespace {

// Nearly all names are absolute and normal already. False for some that are, too ("/a/.b").
bool is_surely_normal(std::string_view path) {
    if (path.size() < 2 || path.front() != '/') {
        return false;
    }
    char before = 'x';
    for (const char c : path) {
        if (before == '/' && (c == '/' || c == '.')) {
            return false;
        }
        before = c;
    }
    return before != '/';
}

} // namespace

std::string normal_path(std::string_view path) {
    if (is_surely_normal(path)) {
        return std::string(path);
    }
    const bool absolute = !path.empty() && path.front() == '/';
    std::string out(absolute ? "/" : "");
    out.reserve(path.size());
    const std::size_t floor = out.size();
    std::size_t climbs = 0; // bytes of leading "../" that a relative path keeps

    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        at = end + 1;
        if (part.empty() || part == ".") {
            continue;
        }
        const bool climb = part == "..";
        if (climb && out.size() > floor + climbs) {
            const std::size_t slash = out.rfind('/');
            out.resize(slash == std::string::npos ? 0 : std::max(slash, floor));
            continue;
        }
        if (climb && absolute) {
            continue; // the root is its own parent
        }
        if (out.size() > floor) {
            out += '/';
        }
        out += part;
        if (climb) {
            climbs = out.size();
        }
    }
    if (out.empty() && !path.empty()) {
        out = ".";
    }
    return out;
}

std::string join_path(std::string_view directory, std::string_view name) {
    if (directory.empty() || (!name.empty() && name.front() == '/')) {
        return normal_path(name);
    }
    std::string joined(directory);
    joined += '/';
    joined += name;
    return normal_path(joined);
}

} // namespace luatrail::host
