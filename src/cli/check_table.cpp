#include "cli/check_table.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "luatrail/base/console.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::cli {
namespace {

std::string_view sgr(std::string_view state) {
    if (state == "seen" || state == "good") {
        return "32";
    }
    if (state == "lua" || state == "inside") {
        return "0";
    }
    return state == "partly" || state == "warning" || state == "content" ? "33" : "1;31";
}

} // namespace

std::string_view name_of(rules::Health health) {
    return health == rules::Health::good ? "good" : health == rules::Health::warning ? "warning" : "fault";
}

nlohmann::ordered_json check_value(const rules::Check& check) {
    nlohmann::ordered_json one;
    one["id"] = check.id;
    one["state"] = name_of(check.health);
    one["text"] = base::to_utf8(check.text);
    one["remedy"] =
        check.remedy.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(base::to_utf8(check.remedy));
    return one;
}

CheckTable::CheckTable()
    : colour_(base::wants_colour(stdout)), width_(std::clamp<std::size_t>(base::columns(stdout), 60, 140)) {}

void CheckTable::line(std::string_view state, std::string_view what, const std::vector<std::string>& below,
                      std::string_view remedy) const {
    constexpr std::size_t state_width = 8;
    const std::string padded = fmt::format("{:<{}}", state, state_width);
    fmt::print("{}", colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", sgr(state), padded) : padded);
    wrapped(state_width, what);
    const auto further = [this](std::string_view text) {
        constexpr std::size_t indent = 10;
        fmt::print("{:{}}", "", indent);
        wrapped(indent, text);
    };
    std::for_each(below.begin(), below.end(), further);
    if (!remedy.empty()) {
        further(fmt::format("-> {}", remedy));
    }
}

void CheckTable::line(const rules::Check& check) const {
    line(name_of(check.health), check.text, {}, check.remedy);
}

// Behind what stands in the line already; further lines two columns further in.
void CheckTable::wrapped(std::size_t used, std::string_view text) const {
    const auto shown = base::printable(text);
    fmt::print("{}\n", base::wrapped(base::fields(shown, ' '), {used, used + 2, width_, ""}));
}

} // namespace luatrail::cli
