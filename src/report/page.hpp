// Lines for a terminal: headings, labelled rows and wrapped words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/report/text.hpp"

namespace luatrail::report {

// Builds one text. Whatever is handed in must be printable (base::printable): a page adds colours and line ends of its
// own only.
class Page {
  public:
    explicit Page(const TextStyle& style);

    // A line of its own, wrapped at the width.
    void paragraph(std::string_view text);
    // An empty line and a section's name.
    void section(std::string_view name);
    // "  label        text", the text wrapped behind the label's column. An empty label goes on with the row before.
    void row(std::string_view label, std::string_view text);
    // Wrapped words behind `first`, further lines under the first word.
    void item(std::string_view first, std::string_view text);
    // A command to be copied. It is cut between these pieces only, with a backslash at the line's end: never inside of
    // a quoted word.
    void command(const std::vector<std::string>& pieces);
    void line(std::string_view text);

    // The SGR sequence around a text, or the text alone.
    std::string coloured(std::string_view text, std::string_view sgr) const;
    std::string take() { return std::move(out_); }

  private:
    struct Layout {
        std::string first;      // stands before the first line
        std::size_t indent = 0; // of the lines after it
        std::string_view cut;   // ends each line but the last
    };
    void words(const Layout& layout, std::string_view text);
    void wrapped(const Layout& layout, const std::vector<std::string_view>& pieces);

    std::string out_;
    bool colour_;
    std::size_t width_;
};

} // namespace luatrail::report
