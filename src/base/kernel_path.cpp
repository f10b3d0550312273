#include "luatrail/base/kernel_path.hpp"

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

} // namespace luatrail::base
