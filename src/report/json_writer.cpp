#include "report/json_writer.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "luatrail/base/text.hpp"

namespace luatrail::report {

void put_text(Json& object, const std::string& key, std::string_view bytes) {
    if (base::is_utf8(bytes)) {
        object[key] = bytes;
        return;
    }
    object[key] = base::to_utf8(bytes);
    object[key + "_hex"] = base::to_hex(bytes);
}

void put_optional(Json& object, const std::string& key, const std::optional<std::string>& bytes) {
    if (bytes) {
        put_text(object, key, *bytes);
    } else {
        object[key] = nullptr;
    }
}

void put_texts(Json& object, const std::string& key, const std::vector<std::string>& elements) {
    if (std::all_of(elements.begin(), elements.end(), [](const std::string& one) { return base::is_utf8(one); })) {
        object[key] = elements;
        return;
    }
    Json shown = Json::array();
    Json hex = Json::array();
    for (const auto& element : elements) {
        const bool fine = base::is_utf8(element);
        shown.push_back(fine ? element : base::to_utf8(element));
        hex.push_back(fine ? Json(nullptr) : Json(base::to_hex(element)));
    }
    object[key] = std::move(shown);
    object[key + "_hex"] = std::move(hex);
}

std::string json_line(const Json& value, Characters characters) {
    // ASCII output escapes C1 and beyond already; what it leaves raw is DEL.
    const bool ascii = characters == Characters::ascii;
    std::string dumped = value.dump(-1, ' ', ascii, Json::error_handler_t::replace);
    const auto plain = [](char c) { return c >= ' ' && c <= '~'; };
    if (std::all_of(dumped.begin(), dumped.end(), plain)) { // nearly always
        return dumped;
    }
    std::string out;
    out.reserve(dumped.size() + 16);
    for (std::size_t at = 0; at < dumped.size();) {
        const auto step = base::utf8_step(dumped, at);
        if (!base::hides(step.character)) {
            out.append(dumped, at, step.length);
        } else if (const auto code = static_cast<std::uint32_t>(step.character); code < 0x10000) {
            // Such a character can only stand inside of a string: outside of them, JSON is plain ASCII here.
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
        } else {
            const std::uint32_t above = code - 0x10000;
            fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xd800 + (above >> 10U),
                           0xdc00 + (above & 0x3ffU));
        }
        at += step.length;
    }
    return out;
}

} // namespace luatrail::report
