#include "detect/options.hpp"

#include <algorithm>

#include "luatrail/base/glob.hpp"

namespace luatrail::detect {
namespace {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&lower](char x, char y) { return lower(x) == lower(y); });
}

bool is_word(const OptionRule& rule) {
    return rule.spelling.front() != '-' && !rule.glued;
}

Option find_short(const Grammar& grammar, std::string_view word, bool is_first) {
    Option best;
    for (const auto& rule : grammar.options) {
        const std::string_view spelling = rule.spelling;
        if (is_word(rule) || !word.starts_with(spelling) || (rule.first && !is_first) ||
            (best.rule != nullptr && best.rule->spelling.size() >= spelling.size())) {
            continue;
        }
        const auto rest = word.substr(spelling.size());
        if (rest.empty()) {
            best = {&rule, std::nullopt};
        } else if (rule.glued) {
            best = {&rule, rest};
        }
    }
    return best;
}

std::size_t dashes_of(std::string_view word) {
    return word.starts_with("--") ? 2 : 1;
}

// Two options that a beginning could both mean are no obstacle where both do the same (glibc's getopt_long, not
// getopt_long_only); rows of one spelling are one option.
bool are_alike(const Grammar& grammar, const OptionRule& a, const OptionRule& b) {
    return a.spelling == b.spelling || (!grammar.one_dash && a.role == b.role && takes_value(a) == takes_value(b));
}

Option find_long(const Grammar& grammar, std::string_view word, bool is_first) {
    Option found;
    std::string_view name = word.substr(dashes_of(word));
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
        found.value = name.substr(equals + 1);
        name = name.substr(0, equals);
    }
    bool ambiguous = false;
    for (const auto& rule : grammar.options) {
        if (rule.spelling.front() != '-' || (!grammar.one_dash && !rule.spelling.starts_with("--"))) {
            continue;
        }
        const auto known = std::string_view(rule.spelling).substr(dashes_of(rule.spelling));
        if (rule.first) { // compared by the program itself, before getopt
            if (is_first && word == rule.spelling) {
                return {&rule, std::nullopt};
            }
        } else if (known == name) {
            found.rule = &rule;
            ambiguous = false;
            break;
        } else if (grammar.abbreviates && !name.empty() && known.starts_with(name)) {
            ambiguous = ambiguous || (found.rule != nullptr && !are_alike(grammar, *found.rule, rule));
            found.rule = found.rule == nullptr ? &rule : found.rule;
        }
    }
    if (ambiguous || (found.rule != nullptr && found.value && !takes_value(*found.rule))) {
        found.rule = nullptr;
    }
    return found;
}

} // namespace

bool takes_value(const OptionRule& rule) {
    switch (rule.role) {
    case OptionRole::inline_code:
    case OptionRole::module:
    case OptionRole::script:
    case OptionRole::value:
    case OptionRole::sourced:
    case OptionRole::commands:
    case OptionRole::data:
        return true;
    case OptionRole::flag:
    case OptionRole::interactive:
    case OptionRole::version:
    case OptionRole::exit:
    case OptionRole::compile:
    case OptionRole::lua_mode:
        break;
    }
    return rule.selects();
}

bool fits_any(const std::vector<std::string>& globs, std::string_view text) {
    return std::any_of(globs.begin(), globs.end(),
                       [text](const std::string& glob) { return base::glob_match(glob, text); });
}

std::optional<std::string_view> selected(const OptionRule& rule, std::string_view value) {
    if (!value.starts_with(rule.prefix)) {
        return std::nullopt;
    }
    value.remove_prefix(rule.prefix.size());
    return rule.only_if.empty() || fits_any(rule.only_if, value) ? std::optional(value) : std::nullopt;
}

std::string meant(const OptionRule& rule, std::string_view value) {
    value = value.substr(0, value.find_first_of(rule.ends_at));
    if (rule.becomes.empty()) {
        return std::string(value);
    }
    auto text = rule.becomes;
    if (const auto star = text.find('*'); star != std::string::npos) {
        text.replace(star, 1, value);
    }
    return text;
}

bool is_option(const Grammar& grammar, std::string_view word) {
    if (word.size() > 1 && word.front() == '-') {
        return true;
    }
    return std::any_of(grammar.options.begin(), grammar.options.end(), [word](const OptionRule& rule) {
        return rule.spelling.front() != '-' && rule.glued && word.starts_with(rule.spelling);
    });
}

Option find_option(const Grammar& grammar, std::string_view word, bool is_first) {
    const bool dashed = word.starts_with("--") || (grammar.one_dash && word.starts_with('-'));
    return dashed ? find_long(grammar, word, is_first) : find_short(grammar, word, is_first);
}

Option find_whole(const Grammar& grammar, std::string_view word) {
    const auto found = std::find_if(grammar.options.begin(), grammar.options.end(),
                                    [word](const OptionRule& rule) { return rule.spelling == word; });
    return {found == grammar.options.end() ? nullptr : &*found, std::nullopt};
}

Option find_letter(const Grammar& grammar, std::string_view word, std::size_t at) {
    const auto found = std::find_if(grammar.options.begin(), grammar.options.end(), [&](const OptionRule& rule) {
        return rule.spelling.size() == 2 && rule.spelling[0] == '-' && rule.spelling[1] == word[at];
    });
    if (found == grammar.options.end()) {
        return {};
    }
    const auto rest = word.substr(at + 1);
    return {&*found, takes_value(*found) && !rest.empty() ? std::optional(rest) : std::nullopt};
}

WordOption find_words(const Grammar& grammar, std::span<const std::string> words) {
    WordOption best;
    for (const auto& rule : grammar.options) {
        if (!is_word(rule)) {
            continue;
        }
        std::size_t count = 0;
        std::string_view left = rule.spelling;
        while (!left.empty() && count < words.size()) {
            const auto end = std::min(left.find(' '), left.size());
            if (!equals_ignoring_case(left.substr(0, end), words[count])) {
                break;
            }
            ++count;
            left.remove_prefix(std::min(end + 1, left.size()));
        }
        if (left.empty() && count > best.words) {
            best = {&rule, count};
        }
    }
    return best;
}

} // namespace luatrail::detect
