#include "cli/image_look.hpp"

#include "plugin/lua_signs.hpp"

namespace luatrail::cli {

std::optional<std::string> ImageLook::lua_in(const std::string& path) {
    constexpr std::size_t most_program = 16UL * 1024 * 1024, most_known = 4096;
    if (!path.starts_with('/')) {
        return std::nullopt;
    }
    if (const auto found = known_.find(path); found != known_.end()) {
        return found->second;
    }
    const auto program = root_.read(path, most_program).value_or("");
    auto found = plugin::lua_version_in(program);
    if (!found) {
        found = plugin::lua_machine_in(program);
    }
    if (known_.size() < most_known) {
        known_.emplace(path, found);
    }
    return found;
}

} // namespace luatrail::cli
