#include "inventory/database.hpp"

#include <algorithm>

#include <fmt/format.h>

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

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return lines;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const auto first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::vector<std::string>> dependencies_of(std::string_view text) {
    std::vector<std::vector<std::string>> groups;
    const auto each = [](std::string_view all, char between, auto take) {
        for (std::size_t at = 0; at <= all.size();) {
            const auto end = std::min(all.find(between, at), all.size());
            take(trimmed(all.substr(at, end - at)));
            at = end + 1;
        }
    };
    each(text, ',', [&](std::string_view group) {
        std::vector<std::string> names;
        each(group, '|', [&](std::string_view one) {
            const auto name = one.substr(0, one.find_first_of(" \t(:[<"));
            if (!name.empty()) {
                names.emplace_back(name);
            }
        });
        if (!names.empty()) {
            groups.push_back(std::move(names));
        }
    });
    return groups;
}

} // namespace luatrail::inventory
