#include "detect/commands.hpp"

#include <algorithm>

#include "luatrail/base/glob.hpp"

namespace luatrail::detect {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view without_blanks(std::string_view text) {
    const auto begin = std::find_if_not(text.begin(), text.end(), is_blank);
    text.remove_prefix(static_cast<std::size_t>(begin - text.begin()));
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// Where an unescaped byte is, or the end.
std::size_t find_unescaped(std::string_view text, char wanted, std::size_t at) {
    for (; at < text.size() && text[at] != wanted; ++at) {
        at += text[at] == '\\' ? 1U : 0U;
    }
    return std::min(at, text.size());
}

// Blanks and colons, numbers, "%", ".+3", "'a", "/pattern/", "*".
std::string_view without_range(std::string_view text) {
    constexpr std::string_view plain = " \t:0123456789.$%,;+-*&\\";
    std::size_t at = 0;
    while (at < text.size()) {
        if (plain.find(text[at]) != std::string_view::npos) {
            ++at;
        } else if (text[at] == '\'') {
            at += 2;
        } else if (text[at] == '/' || text[at] == '?') {
            at = find_unescaped(text, text[at], at + 1) + 1;
        } else {
            break;
        }
    }
    return text.substr(std::min(at, text.size()));
}

std::string_view without_words(std::string_view text, std::size_t count) {
    for (; count > 0; --count) {
        text = without_blanks(text);
        text.remove_prefix(static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) - text.begin()));
    }
    return text;
}

// What :execute is given, mostly one string.
std::string_view without_quotes(std::string_view text) {
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) {
        return text;
    }
    const auto end = text.rfind(text.front());
    return text.substr(1, end == 0 ? std::string_view::npos : end - 1);
}

std::string_view name_of(std::string_view text) {
    if (text.starts_with('=')) {
        return text.substr(0, 1);
    }
    const auto end = std::find_if_not(text.begin(), text.end(), [](char c) { return is_letter(c) || c == '-'; });
    return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

const CommandRule* find_rule(std::span<const CommandRule> known, std::string_view name, std::string_view argument) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const CommandRule& rule) {
        const std::string_view whole = rule.name;
        return whole.starts_with(name) && name.starts_with(rule.least) &&
               (rule.only_if.empty() ||
                std::any_of(rule.only_if.begin(), rule.only_if.end(),
                            [argument](const std::string& glob) { return base::glob_match(glob, argument); }));
    });
    return found == known.end() ? nullptr : &*found;
}

} // namespace

Commands read_commands(std::span<const CommandRule> known, std::string_view line) {
    constexpr std::size_t most_read = 256, most_found = 64;
    Commands made;
    auto& found = made.found;
    for (std::size_t read = 0; read < most_read && found.size() < most_found && !line.empty(); ++read) {
        line = without_range(line);
        const auto name = name_of(line);
        auto rest = line.substr(name.size());
        rest.remove_prefix(rest.starts_with('!') ? 1 : 0);
        const auto bar = find_unescaped(rest, '|', 0);
        const auto argument = without_blanks(rest.substr(0, bar));
        const auto* rule = name.empty() ? nullptr : find_rule(known, name, argument);
        if (rule != nullptr && rule->role == OptionRole::inline_code) { // its bars are Lua's
            found.push_back({rule->role, without_blanks(rest)});
            return made;
        }
        if (rule != nullptr && rule->role == OptionRole::commands) {
            line = without_quotes(without_blanks(without_words(rest, rule->skip)));
            continue;
        }
        if (rule == nullptr && !name.empty()) {
            made.unknown.push_back(line.substr(0, name.size() + std::min(bar + 1, rest.size())));
        } else if (rule != nullptr && rule->role == OptionRole::sourced && argument.empty()) {
            found.push_back({rule->role, "%"}); // what is edited
        } else if (rule != nullptr && rule->role != OptionRole::data && !argument.empty()) {
            found.push_back({rule->role, rule->bars ? without_blanks(rest) : argument});
        }
        const bool whole = rule != nullptr && rule->bars;
        line = whole ? std::string_view() : rest.substr(std::min(bar + 1, rest.size()));
    }
    made.whole = line.empty();
    return made;
}

} // namespace luatrail::detect
