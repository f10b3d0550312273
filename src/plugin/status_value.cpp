#include "plugin/status_value.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"

namespace luatrail::plugin {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t number_of(const Json& value) {
    return value.is_number_integer() ? value.get<std::uint64_t>() : value.is_boolean() && value.get<bool>() ? 1 : 0;
}

} // namespace

struct StatusValue::Impl {
    explicit Impl(std::string_view text) : json(Json::parse(text, nullptr, false)) {}

    Json json;

    // Null where there is nothing.
    const Json* at(const std::string& pointer) const {
        const Json::json_pointer where(pointer);
        return json.contains(where) ? &json[where] : nullptr;
    }
};

StatusValue::StatusValue(std::string_view json) : impl_(std::make_unique<Impl>(json)) {
    const auto* const named = impl_->json.is_object() ? impl_->at("/schema") : nullptr;
    if (named == nullptr || *named != status_schema) {
        throw base::Error("no status of luatrail; name the file that status.file of the plugin's configuration names");
    }
}

StatusValue::~StatusValue() = default;

bool StatusValue::has(const std::string& pointer) const {
    const auto* const value = impl_->at(pointer);
    return value != nullptr && !value->is_null();
}

std::uint64_t StatusValue::number(const std::string& pointer) const {
    const auto* const value = impl_->at(pointer);
    return value == nullptr ? 0 : number_of(*value);
}

std::string StatusValue::text(const std::string& pointer) const {
    const auto* const value = impl_->at(pointer);
    return value != nullptr && value->is_string() ? base::printable(value->get<std::string>()) : "";
}

std::int64_t StatusValue::time_ms(const std::string& pointer) const {
    return base::parse_time(text(pointer)).value_or(0);
}

bool StatusValue::flag(const std::string& pointer) const {
    const auto* const value = impl_->at(pointer);
    if (value == nullptr || !value->is_boolean()) {
        throw base::Error(
            fmt::format("a status that another version of luatrail wrote ({}); use the version that runs", pointer));
    }
    return value->get<bool>();
}

std::vector<std::pair<std::string, std::uint64_t>> StatusValue::counts(const std::string& pointer) const {
    std::vector<std::pair<std::string, std::uint64_t>> found;
    const auto* const value = impl_->at(pointer);
    if (value != nullptr && value->is_object()) {
        for (const auto& [key, count] : value->items()) {
            found.emplace_back(base::printable(key), number_of(count));
        }
    }
    return found;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> StatusValue::buckets() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    const auto* const value = impl_->at("/lag/buckets");
    if (value != nullptr && value->is_array()) {
        for (const auto& bucket : *value) {
            if (bucket.is_object() && bucket.contains("ms_at_most") && bucket.contains("events")) {
                found.emplace_back(number_of(bucket["ms_at_most"]), number_of(bucket["events"]));
            }
        }
    }
    return found;
}

} // namespace luatrail::plugin
