#include "luatrail/audit/record.hpp"

#include <array>
#include <charconv>
#include <unordered_map>

#include <fmt/format.h>
#include <libaudit.h>

namespace luatrail::audit {
namespace {

struct TransparentHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};
using NameTable = std::unordered_map<std::string, RecordType, TransparentHash, std::equal_to<>>;

// libaudit's look-up by name walks a table in user space for every call; ours is made from it once.
const NameTable& names() {
    static const NameTable table = [] {
        NameTable made;
        for (int type = 1; type < 3000; ++type) {
            if (const char* name = audit_msg_type_to_name(type)) {
                made.emplace(name, static_cast<RecordType>(type));
            }
        }
        return made;
    }();
    return table;
}

template <class Number>
bool whole_number(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

} // namespace

std::string to_string(const EventId& id) {
    const auto millis = id.time_ms % 1000;
    return fmt::format("{}.{:03}:{}", id.time_ms / 1000, millis, id.serial);
}

std::optional<EventId> parse_event_id(std::string_view text) {
    const auto dot = text.find('.');
    const auto colon = text.find(':');
    if (dot == std::string_view::npos || colon == std::string_view::npos || colon != dot + 4) {
        return std::nullopt;
    }
    std::uint32_t millis = 0;
    std::uint64_t seconds = 0;
    EventId id;
    if (!whole_number(text.substr(0, dot), seconds) || seconds > 99'999'999'999ULL ||
        !whole_number(text.substr(dot + 1, 3), millis) || !whole_number(text.substr(colon + 1), id.serial)) {
        return std::nullopt;
    }
    id.time_ms = static_cast<std::int64_t>(seconds * 1000 + millis);
    return id;
}

RecordType record_type_from_name(std::string_view name) {
    const auto& table = names();
    if (const auto found = table.find(name); found != table.end()) {
        return found->second;
    }
    constexpr std::string_view unknown = "UNKNOWN[";
    if (name.starts_with(unknown) && name.ends_with(']')) {
        name = name.substr(unknown.size(), name.size() - unknown.size() - 1);
    }
    RecordType number = 0;
    return whole_number(name, number) ? number : RecordType{0};
}

std::string record_type_name(RecordType type) {
    if (const char* name = audit_msg_type_to_name(type)) {
        return name;
    }
    return fmt::format("UNKNOWN[{}]", type);
}

} // namespace luatrail::audit
