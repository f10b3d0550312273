// How this room writes JSON: raw bytes in, one safe line out. Shared by findings and by other JSON lines of the
// program.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace luatrail::report {

using Json = nlohmann::ordered_json;

// Sets `key` to the text. Bytes that are not UTF-8 become U+FFFD, and the raw bytes go beside as `<key>_hex`.
void put_text(Json& object, const std::string& key, std::string_view bytes);
// The same; null when there is nothing.
void put_optional(Json& object, const std::string& key, const std::optional<std::string>& bytes);
// The same for an array of strings; `<key>_hex` holds null for elements that were fine.
void put_texts(Json& object, const std::string& key, const std::vector<std::string>& elements);
// Null when there is nothing.
template <class Number>
void put_optional(Json& object, const std::string& key, const std::optional<Number>& number) {
    object[key] = number ? Json(*number) : Json(nullptr);
}

enum class Characters { utf8, ascii };

// One line without line end. Controls, DEL, C1, bidirectional overrides and whatever else does not show are written as
// \uXXXX, so that the line can go to a terminal; with Characters::ascii everything else outside of ASCII is, too. Never
// throws on content.
std::string json_line(const Json& value, Characters characters);

} // namespace luatrail::report
