#include "inventory/database.hpp"

#include <fmt/format.h>

#include "luatrail/base/words.hpp"

namespace luatrail::inventory {

void Complaints::add(std::string_view place, std::string_view what) {
    constexpr std::size_t most = 100;
    if (lines_.size() < most) {
        lines_.push_back(fmt::format("{}: {}", place, what));
    } else {
        ++more_;
    }
}

std::vector<std::string> Complaints::take() {
    if (more_ > 0) {
        lines_.push_back(fmt::format("and {} more", more_));
    }
    more_ = 0;
    return std::move(lines_);
}

std::vector<std::vector<std::string>> dependencies_of(std::string_view text) {
    std::vector<std::vector<std::string>> groups;
    for (const auto group : base::fields(text, ',')) {
        std::vector<std::string> names;
        for (const auto one : base::fields(group, '|')) {
            const auto name = base::trimmed(one);
            if (const auto end = name.find_first_of(" \t(:[<"); end != 0 && !name.empty()) {
                names.emplace_back(name.substr(0, end));
            }
        }
        if (!names.empty()) {
            groups.push_back(std::move(names));
        }
    }
    return groups;
}

} // namespace luatrail::inventory
