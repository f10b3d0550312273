// Words of a command line as options.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

// An option as it was written: its rule, and the value that stands in the same word.
struct Option {
    const OptionRule* rule = nullptr; // null: the program does not know it
    std::optional<std::string_view> value{};
};

bool takes_value(const OptionRule& rule);
bool fits_any(const std::vector<std::string>& globs, std::string_view text);
// What a row has of a value, or of a part of it: without its prefix. Nothing: the row is about other values.
std::optional<std::string_view> selected(const OptionRule& rule, std::string_view value);
// What such a value stands for: the name of a module, a path.
std::string meant(const OptionRule& rule, std::string_view value);

// Whether a word is one, or several: it begins with a dash; some programs also take "+command".
bool is_option(const Grammar& grammar, std::string_view word);
// The option that a word as a whole is: -e, -eCODE, --name, --name=VALUE; the longest spelling that fits decides.
// `is_first`: it is the first argument.
Option find_option(const Grammar& grammar, std::string_view word, bool is_first);
// The one that is spelled so.
Option find_whole(const Grammar& grammar, std::string_view word);
// The one at `at` of a word of letters, with what follows as its value if it takes one.
Option find_letter(const Grammar& grammar, std::string_view word, std::size_t at);

// A word, or several, that bring code without a dash ("EVAL", "SCRIPT LOAD"), in any case: how many of the leading
// `words` they are.
struct WordOption {
    const OptionRule* rule = nullptr;
    std::size_t words = 0;
};
WordOption find_words(const Grammar& grammar, std::span<const std::string> words);

} // namespace luatrail::detect
