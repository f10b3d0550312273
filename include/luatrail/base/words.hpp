// Texts taken apart, and put on lines of a width. Views show the text that was handed in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace luatrail::base {

// Without blanks, tabs and carriage returns at either end.
std::string_view trimmed(std::string_view text);

// A to Z become a to z, whatever the locale.
std::string lower(std::string_view text);

// Runs of anything but blanks and tabs. Of more than `most`, the last is the whole rest of the text, trimmed.
std::vector<std::string_view> words(std::string_view text, std::size_t most = std::string_view::npos);

// What stands between the marks, empty fields included: one field more than there are marks.
std::vector<std::string_view> fields(std::string_view text, std::string_view mark);
std::vector<std::string_view> fields(std::string_view text, char mark);

// The same without those that are empty.
std::vector<std::string_view> full_fields(std::string_view text, char mark);

// Lines without their ends. Behind the last end there is no empty line.
std::vector<std::string_view> lines(std::string_view text, char end = '\n');

// The columns of a text on a terminal, in code points: right for what most paths and names are made of, and harmless
// where it is not.
std::size_t columns(std::string_view text);

struct Wrapping {
    std::size_t used = 0;   // columns that are taken in the first line
    std::size_t indent = 0; // of the lines after it
    std::size_t width = 80; // of a line
    std::string_view cut{}; // ends each line but the last
};

// The pieces with blanks between them, on as many lines as they need. A piece that is wider than a line stays whole: a
// path that was cut could not be copied.
std::string wrapped(const std::vector<std::string_view>& pieces, const Wrapping& how);

} // namespace luatrail::base
