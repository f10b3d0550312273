#include "luatrail/base/glob.hpp"

#include <algorithm>
#include <cstddef>

namespace luatrail::base {
namespace {

constexpr std::size_t npos = std::string_view::npos;

// Where the class that opens at `open` closes; npos when it never does: then '[' is an ordinary character.
std::size_t class_end(std::string_view pattern, std::size_t open) {
    std::size_t at = open + 1;
    if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) {
        ++at;
    }
    for (bool first = true; at < pattern.size(); ++at, first = false) {
        if (pattern[at] == ']' && !first) { // a ']' in front stands for itself
            return at;
        }
        if (pattern[at] == '\\') {
            ++at;
        }
    }
    return npos;
}

unsigned char class_member(std::string_view members, std::size_t& at) {
    if (members[at] == '\\' && at + 1 < members.size()) {
        ++at;
    }
    return static_cast<unsigned char>(members[at++]);
}

// `members` is what stands between the brackets.
bool in_class(std::string_view members, char c) {
    const auto wanted = static_cast<unsigned char>(c);
    const bool negated = members.front() == '!' || members.front() == '^';
    bool found = false;
    for (std::size_t at = negated ? 1 : 0; at < members.size();) {
        const unsigned char low = class_member(members, at);
        unsigned char high = low;
        if (at + 1 < members.size() && members[at] == '-') {
            ++at;
            high = class_member(members, at);
        }
        found = found || (low <= wanted && wanted <= high);
    }
    return found != negated;
}

// Whether the single-character element of `pattern` at `at` matches `c`; `next` receives the index after the element.
bool element_matches(std::string_view pattern, std::size_t at, char c, std::size_t& next) {
    next = at + 1;
    if (pattern[at] == '?') {
        return c != '/';
    }
    if (pattern[at] == '[') {
        if (const auto end = class_end(pattern, at); end != npos) {
            next = end + 1;
            return c != '/' && in_class(pattern.substr(at + 1, end - at - 1), c);
        }
    }
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
        next = at + 2;
        return pattern[at + 1] == c;
    }
    return pattern[at] == c;
}

// The place to go on from when what follows a star does not match: the star swallows one character more.
struct Retry {
    std::size_t pattern = npos; // after the star; npos: no such star yet
    std::size_t text = 0;       // first character that the star has not swallowed
};

class Matcher {
  public:
    Matcher(std::string_view pattern, std::string_view text) : pattern_(pattern), text_(text) {}

    // Only the latest star of each kind is ever tried again: an earlier one that swallowed more would leave the later
    // one a subset of what it has tried. So the work grows with the product of the lengths, for hostile text too.
    bool run() {
        while (text_at_ < text_.size() || pattern_at_ < pattern_.size()) {
            if (pattern_at_ < pattern_.size() && pattern_[pattern_at_] == '*') {
                open_star();
                continue;
            }
            std::size_t next = 0;
            if (text_at_ < text_.size() && pattern_at_ < pattern_.size() &&
                element_matches(pattern_, pattern_at_, text_[text_at_], next)) {
                pattern_at_ = next;
                ++text_at_;
                continue;
            }
            if (!retry()) {
                return false;
            }
        }
        return true;
    }

  private:
    void open_star() {
        std::size_t after = pattern_at_;
        while (after < pattern_.size() && pattern_[after] == '*') {
            ++after;
        }
        if (after - pattern_at_ == 1) {
            star_ = {after, text_at_};
        } else {
            star_ = {};
            stars_ = {after, text_at_};
        }
        pattern_at_ = after;
    }

    bool retry() {
        if (star_.pattern != npos) {
            if (star_.text >= text_.size()) {
                return false; // what follows is nowhere in the rest: a later start would find less
            }
            if (text_[star_.text] != '/') {
                return resume(star_);
            }
            star_ = {};
            // The star failed up to this component's end, and would from any other start in the same component as this
            // one.
            stars_.text = std::min(text_.find('/', stars_.text), text_.size());
        }
        return stars_.pattern != npos && stars_.text < text_.size() && resume(stars_);
    }

    bool resume(Retry& from) {
        pattern_at_ = from.pattern;
        text_at_ = ++from.text;
        return true;
    }

    std::string_view pattern_, text_;
    std::size_t pattern_at_ = 0, text_at_ = 0;
    Retry star_, stars_; // of "*", of "**"
};

} // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
    return Matcher(pattern, text).run();
}

} // namespace luatrail::base
