#include "luatrail/base/words.hpp"

#include <algorithm>

#include "luatrail/base/text.hpp"

namespace luatrail::base {
namespace {

constexpr std::string_view blanks = " \t";

template <class Take>
void each_field(std::string_view text, std::string_view mark, Take take) {
    for (auto end = text.find(mark); end != std::string_view::npos; end = text.find(mark)) {
        take(text.substr(0, end));
        text.remove_prefix(end + mark.size());
    }
    take(text);
}

} // namespace

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view ends = " \t\r";
    const auto first = std::min(text.find_first_not_of(ends), text.size());
    return text.substr(first, text.find_last_not_of(ends) + 1 - first);
}

std::string lower(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return made;
}

std::vector<std::string_view> words(std::string_view text, std::size_t most) {
    std::vector<std::string_view> found;
    for (;;) {
        text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
        if (text.empty()) {
            return found;
        }
        if (found.size() + 1 == most) {
            found.push_back(trimmed(text));
            return found;
        }
        const auto end = std::min(text.find_first_of(blanks), text.size());
        found.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::vector<std::string_view> fields(std::string_view text, std::string_view mark) {
    std::vector<std::string_view> found;
    each_field(text, mark, [&found](std::string_view one) { found.push_back(one); });
    return found;
}

std::vector<std::string_view> fields(std::string_view text, char mark) {
    return fields(text, std::string_view(&mark, 1));
}

std::vector<std::string_view> full_fields(std::string_view text, char mark) {
    std::vector<std::string_view> found;
    each_field(text, {&mark, 1}, [&found](std::string_view one) {
        if (!one.empty()) {
            found.push_back(one);
        }
    });
    return found;
}

std::vector<std::string_view> lines(std::string_view text, char end) {
    auto found = fields(text, end);
    if (found.back().empty()) {
        found.pop_back();
    }
    return found;
}

std::size_t columns(std::string_view text) {
    unsigned all = 0;
    for (const char c : text) { // no way out of the loop, so that it takes many bytes at once
        all |= static_cast<unsigned char>(c);
    }
    std::size_t count = all < 0x80 ? text.size() : 0;
    for (std::size_t at = count; at < text.size(); at += utf8_step(text, at).length) {
        ++count;
    }
    return count;
}

std::string wrapped(const std::vector<std::string_view>& pieces, const Wrapping& how) {
    std::string out;
    std::size_t used = how.used;
    bool empty = true;
    for (std::size_t at = 0; at < pieces.size(); ++at) {
        const auto wide = columns(pieces[at]);
        const std::size_t reserve = at + 1 == pieces.size() ? 0 : how.cut.size();
        if (!empty && used + 1 + wide + reserve > how.width) {
            out += how.cut;
            out += '\n';
            out.append(how.indent, ' ');
            used = how.indent;
            empty = true;
        }
        if (!empty) {
            out += ' ';
            ++used;
        }
        out += pieces[at];
        used += wide;
        empty = false;
    }
    return out;
}

} // namespace luatrail::base
