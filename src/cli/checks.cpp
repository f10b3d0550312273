#include "cli/checks.hpp"

#include <fmt/format.h>

#include "luatrail/base/time.hpp"

namespace luatrail::cli {

std::function<std::string(const std::string&)> duration_check() {
    return [](const std::string& text) {
        const auto ms = base::parse_duration(text);
        return ms && *ms > 0
                   ? std::string()
                   : fmt::format("\"{}\" is no duration; write a number and a unit, as in 30s, 10m or 2h", text);
    };
}

std::function<std::string(const std::string&)> time_check() {
    return [](const std::string& text) {
        return base::parse_time(text)
                   ? std::string()
                   : fmt::format("\"{}\" is no time; write 2026-11-25, 2026-11-25T02:00:10Z or @SECONDS", text);
    };
}

} // namespace luatrail::cli
