#include "report/page.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "luatrail/base/words.hpp"

namespace luatrail::report {
namespace {

constexpr std::size_t label_width = 13;

} // namespace

Page::Page(const TextStyle& style) : colour_(style.colour), width_(std::max<std::size_t>(style.width, 40)) {}

std::string Page::coloured(std::string_view text, std::string_view sgr) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", sgr, text) : std::string(text);
}

void Page::line(std::string_view text) {
    out_ += text;
    out_ += '\n';
}

void Page::paragraph(std::string_view text) {
    words({"", 0, ""}, text);
}

void Page::section(std::string_view name) {
    out_ += '\n';
    line(coloured(name, "1"));
}

void Page::row(std::string_view label, std::string_view text) {
    std::string first("  ");
    first += label;
    first.resize(std::max(first.size(), label_width + 2), ' ');
    words({std::move(first), label_width + 2, ""}, text);
}

void Page::item(std::string_view first, std::string_view text) {
    words({std::string(first), base::columns(first), ""}, text);
}

void Page::command(const std::vector<std::string>& pieces) {
    wrapped({"  ", 6, " \\"}, std::vector<std::string_view>(pieces.begin(), pieces.end()));
}

void Page::words(const Layout& layout, std::string_view text) {
    if (base::columns(layout.first) + base::columns(text) > width_) {
        wrapped(layout, base::fields(text, ' '));
        return;
    }
    out_ += layout.first; // as nearly all are
    out_ += text;
    out_.erase(out_.find_last_not_of(' ') + 1);
    out_ += '\n';
}

// Trailing blanks are cut: what is copied from a terminal has none.
void Page::wrapped(const Layout& layout, const std::vector<std::string_view>& pieces) {
    auto text = layout.first + base::wrapped(pieces, {base::columns(layout.first), layout.indent, width_, layout.cut});
    text.erase(text.find_last_not_of(' ') + 1);
    line(text);
}

} // namespace luatrail::report
