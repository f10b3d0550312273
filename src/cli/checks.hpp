// Checks of what an option is given.
#pragma once

#include <functional>
#include <string>

namespace luatrail::cli {

// Refuses the empty string and whatever `parse` gives nothing for. For CLI11's options.
std::function<std::string(const std::string&)> duration_check();
std::function<std::string(const std::string&)> time_check();

} // namespace luatrail::cli
