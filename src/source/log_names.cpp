#include "source/log_names.hpp"

#include <algorithm>
#include <charconv>

namespace luatrail::source {
namespace {

bool drop_ending(std::string_view& name, std::string_view ending) {
    if (!name.ends_with(ending)) {
        return false;
    }
    name.remove_suffix(ending.size());
    return true;
}

bool drop_compression(std::string_view& name) {
    for (const std::string_view ending : {".gz", ".xz", ".zst", ".bz2", ".lz4"}) {
        if (drop_ending(name, ending)) {
            return true;
        }
    }
    return false;
}

// A log's name without what rotation added: a number or a date.
std::string_view before_rotation(std::string_view name) {
    drop_compression(name);
    const auto last = name.find_last_not_of("0123456789");
    if (last != std::string_view::npos && last + 1 < name.size() && (name[last] == '.' || name[last] == '-')) {
        name = name.substr(0, last);
    }
    return name;
}

} // namespace

Rotation rotation_of(std::string_view name) {
    constexpr std::size_t most_digits = 5; // more are a date
    drop_compression(name);
    const auto log = before_rotation(name);
    unsigned number = 0;
    const auto digits = name.substr(std::min(log.size() + 1, name.size()));
    const bool counted = !digits.empty() && digits.size() <= most_digits && name[log.size()] == '.';
    if (counted) {
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    }
    return counted ? Rotation{log, number} : Rotation{name, 0};
}

bool is_log_name(std::string_view name) {
    return before_rotation(name).ends_with(".log");
}

std::string_view host_in_name(std::string_view name) {
    name = before_rotation(name);
    if (!drop_ending(name, "audit.log")) {
        return {};
    }
    const auto last = name.find_last_not_of("-_.");
    return last == std::string_view::npos || last + 1 == name.size() ? std::string_view() : name.substr(0, last + 1);
}

bool is_archive_name(std::string_view name) {
    drop_compression(name);
    for (const std::string_view ending : {".tar", ".tgz", ".txz", ".tzst", ".tbz2", ".zip", ".cpio"}) {
        if (name.ends_with(ending)) {
            return true;
        }
    }
    return false;
}

} // namespace luatrail::source
