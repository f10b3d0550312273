#include "source/line_prefix.hpp"

#include <algorithm>

namespace luatrail::source {
namespace {

using std::string_view;

constexpr string_view byte_order_mark = "\xef\xbb\xbf";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool all_digits(string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

void skip_blanks(string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

// The next blank-separated word; leaves `text` at the word after it.
string_view take_word(string_view& text) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    skip_blanks(text);
    return word;
}

// Shapes are written with 9 for a digit and A for a letter; every other character stands for itself.
bool starts_with_shape(string_view text, string_view shape) {
    if (text.size() < shape.size()) {
        return false;
    }
    return std::equal(shape.begin(), shape.end(), text.begin(), [](char wanted, char c) {
        const auto letter = static_cast<char>(c | 0x20);
        return wanted == '9' ? is_digit(c) : wanted == 'A' ? letter >= 'a' && letter <= 'z' : wanted == c;
    });
}

// "15:09:04", "15:09:04.562575", "15:09:04.562575+08:00".
bool is_clock(string_view word) {
    return starts_with_shape(word, "99:99:99") && word.find_first_not_of("0123456789:.,+-Z", 8) == string_view::npos;
}

// "194.262636": dmesg's and the monotonic journal's seconds, or the journal's short-unix.
bool is_seconds(string_view word) {
    const auto dot = word.find('.');
    return dot != string_view::npos && all_digits(word.substr(0, dot)) && all_digits(word.substr(dot + 1));
}

// "[   88.402691]", "[Fri Jun 11 20:15:56 2021]" (dmesg -T). Leaves `text` behind it.
bool take_bracketed_time(string_view& text) {
    const auto end = text.find(']');
    if (text.empty() || text.front() != '[' || end == string_view::npos) {
        return false;
    }
    auto inside = text.substr(1, end - 1);
    skip_blanks(inside);
    const bool dated = starts_with_shape(inside, "AAA AAA ") && inside.find_first_of("()=") == string_view::npos;
    if (!is_seconds(inside) && !dated) {
        return false;
    }
    text.remove_prefix(end + 1);
    skip_blanks(text);
    return true;
}

// Any time stamp that syslog daemons and journalctl write. Leaves `text` at the host name.
bool take_time(string_view& text) {
    auto rest = text;
    auto word = take_word(rest);
    if (starts_with_shape(word, "AAA") && word.size() == 3) { // "Jun 11 20:15:56", "Fri 2021-06-11 20:15:56 CEST"
        word = take_word(rest);
        const bool full = starts_with_shape(word, "9999-99-99");
        if ((!full && (!all_digits(word) || word.size() > 2)) || !is_clock(take_word(rest))) {
            return false;
        }
        if (full) {
            take_word(rest);
        }
    } else if (starts_with_shape(word, "9999-99-99T")) {
        if (!is_clock(word.substr(11))) {
            return false;
        }
    } else if (starts_with_shape(word, "9999-99-99") && word.size() == 10) {
        if (!is_clock(take_word(rest))) {
            return false;
        }
    } else if (!is_seconds(word)) {
        return take_bracketed_time(text);
    }
    text = rest;
    return true;
}

// "audispd:", "audit[2482]:", "tag_audit_log:". Leaves `text` behind the tag.
bool take_tag(string_view& text) {
    auto rest = text;
    const auto tag = take_word(rest);
    if (tag.size() < 2 || tag.back() != ':' || tag.front() == '<' || tag.find('=') != string_view::npos) {
        return false;
    }
    text = rest;
    return true;
}

bool begins_record(string_view text) {
    return text.starts_with("type=") || text.starts_with("node=") || text.starts_with("host=");
}

// The ring buffer's own time and "audit: " may stand between the kernel's tag and the record.
string_view after_kernel_marks(string_view text) {
    take_bracketed_time(text);
    constexpr string_view mark = "audit: ";
    if (text.starts_with(mark)) {
        text.remove_prefix(mark.size());
        skip_blanks(text);
    }
    return text;
}

// "<134>". Leaves `text` behind it.
bool take_priority(string_view& text) {
    const auto end = text.find('>');
    if (text.empty() || text.front() != '<' || end == string_view::npos || end > 4 ||
        !all_digits(text.substr(1, end - 1))) {
        return false;
    }
    text.remove_prefix(end + 1);
    skip_blanks(text);
    return true;
}

// RFC 5424's structured data: "-" or elements whose values may hold an escaped ']' or '"'.
bool take_structured_data(string_view& text) {
    if (text.starts_with("- ") || text == "-") {
        text.remove_prefix(1);
        skip_blanks(text);
        return true;
    }
    bool quoted = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted && c == '\\') {
            ++at;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && c == ']' && (at + 1 == text.size() || text[at + 1] == ' ')) {
            text.remove_prefix(at + 1);
            skip_blanks(text);
            return true;
        } else if (at == 0 && c != '[') {
            return false;
        }
    }
    return false;
}

// Behind "<134>": VERSION TIME HOST APP PROCID MSGID DATA MESSAGE.
Relayed after_rfc5424(string_view text) {
    text.remove_prefix(2);
    const auto time = take_word(text);
    if (time != "-" && !starts_with_shape(time, "9999-99-99T99:99:99")) {
        return {};
    }
    const auto host = take_word(text);
    take_word(text); // program
    take_word(text); // process id
    take_word(text); // message id
    if (!take_structured_data(text)) {
        return {};
    }
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
    }
    return {after_kernel_marks(text), host == "-" ? string_view() : host};
}

// /dev/kmsg: "6,1234,567890,-;audit: ...".
string_view after_kmsg(string_view text) {
    const auto end = text.find(';');
    if (end == string_view::npos || text.find_first_not_of("0123456789,-c") != end) {
        return {};
    }
    const auto message = text.substr(end + 1);
    return message.starts_with("audit: ") ? after_kernel_marks(message) : string_view{};
}

} // namespace

Relayed after_relay_prefix(string_view line) {
    auto text = line;
    if (take_priority(text) && text.starts_with("1 ")) {
        return after_rfc5424(text);
    }
    if (take_tag(text)) { // a relay that writes neither time nor host
        return {after_kernel_marks(text), {}};
    }
    if (text.empty()) {
        return {};
    }
    const bool bracketed = text.front() == '[';
    if (!take_time(text)) {
        return {is_digit(text.front()) ? after_kmsg(text) : string_view{}, {}};
    }
    if (bracketed && (text.starts_with("audit: ") || text.starts_with("type="))) { // dmesg, of old kernels the second
        return {after_kernel_marks(text), {}};
    }
    if (take_tag(text)) {
        return {after_kernel_marks(text), {}};
    }
    const auto host = take_word(text);
    if (!take_tag(text) && !begins_record(text)) { // a tag of rsyslog's imfile may have no colon
        take_word(text);
        return begins_record(text) ? Relayed{text, host} : Relayed{};
    }
    return {after_kernel_marks(text), host};
}

} // namespace luatrail::source
