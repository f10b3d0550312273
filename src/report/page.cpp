#include "report/page.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "luatrail/base/text.hpp"

namespace luatrail::report {
namespace {

constexpr std::size_t label_width = 13;

// Code points, which is right for what most paths and names are made of, and harmless where it is not.
std::size_t columns(std::string_view text) {
    unsigned all = 0;
    for (const char c : text) { // no way out of the loop, so that it takes many bytes at once
        all |= static_cast<unsigned char>(c);
    }
    std::size_t count = all < 0x80 ? text.size() : 0;
    for (std::size_t at = count; at < text.size(); at += base::utf8_step(text, at).length) {
        ++count;
    }
    return count;
}

// Two blanks in a row make an empty word, so that a quoted word keeps its blanks.
std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(' ', at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

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
    words({std::string(first), columns(first), ""}, text);
}

void Page::command(const std::vector<std::string>& pieces) {
    wrapped({"  ", 6, " \\"}, std::vector<std::string_view>(pieces.begin(), pieces.end()));
}

void Page::words(const Layout& layout, std::string_view text) {
    if (columns(layout.first) + columns(text) > width_) {
        wrapped(layout, words_of(text));
        return;
    }
    out_ += layout.first; // as nearly all are
    out_ += text;
    out_.erase(out_.find_last_not_of(' ') + 1);
    out_ += '\n';
}

// A piece that is wider than a line stays whole: a path that was cut could not be copied.
void Page::wrapped(const Layout& layout, const std::vector<std::string_view>& pieces) {
    std::string current = layout.first;
    std::size_t used = columns(current);
    bool empty = true;
    for (std::size_t at = 0; at < pieces.size(); ++at) {
        const auto wide = columns(pieces[at]);
        const std::size_t reserve = at + 1 == pieces.size() ? 0 : layout.cut.size();
        if (!empty && used + 1 + wide + reserve > width_) {
            line(current + std::string(layout.cut));
            current.assign(layout.indent, ' ');
            used = layout.indent;
            empty = true;
        }
        if (!empty) {
            current += ' ';
            ++used;
        }
        current += pieces[at];
        used += wide;
        empty = false;
    }
    current.erase(current.find_last_not_of(' ') + 1);
    line(current);
}

} // namespace luatrail::report
