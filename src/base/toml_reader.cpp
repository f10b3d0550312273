#include "luatrail/base/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <numeric>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/file.hpp"

namespace luatrail::base {
namespace {

constexpr std::size_t largest_file = std::size_t{16} << 20U;

struct Document {
    toml::table root;
    std::string name;
    TomlErrors* errors = nullptr;
};

void report(TomlErrors* errors, std::string message) {
    if (errors == nullptr) {
        throw Error(message);
    }
    errors->push_back(std::move(message));
}

std::string place(std::string_view file, const toml::source_position& position) {
    return fmt::format("{}:{}:{}", file, position.line, position.column);
}

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::string:
        return "string";
    case toml::node_type::integer:
        return "integer";
    case toml::node_type::floating_point:
        return "float";
    case toml::node_type::boolean:
        return "boolean";
    case toml::node_type::date:
        return "date";
    case toml::node_type::time:
        return "time";
    case toml::node_type::date_time:
        return "date-time";
    case toml::node_type::array:
        return "array";
    case toml::node_type::table:
        return "table";
    case toml::node_type::none:
        break;
    }
    return "nothing";
}

std::string_view remedy_for(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "check the path";
    case EACCES:
    case EPERM:
        return "run as root or as a user who may read it";
    case EISDIR:
        return "give a file, or a pattern such as DIR/*.toml";
    default:
        return "check the file system";
    }
}

[[noreturn]] void cannot_read(const std::string& path, int error) {
    throw Error(fmt::format("{}: {}; {}", path, std::generic_category().message(error), remedy_for(error)));
}

void check_file(const std::string& path, int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        cannot_read(path, errno);
    }
    if (S_ISDIR(status.st_mode)) {
        cannot_read(path, EISDIR);
    }
    if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) != 0) {
        throw Error(fmt::format("{}: everybody may write it, and who writes it decides what is reported; "
                                "review it, then: chmod o-w {}",
                                path, path));
    }
}

std::string checked_file(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (file.get() < 0) {
        cannot_read(path, errno);
    }
    check_file(path, file.get());
    auto content = read_all(file.get(), largest_file + 1);
    if (!content) {
        cannot_read(path, errno);
    }
    if (content->size() > largest_file) {
        throw Error(fmt::format("{}: larger than 16 MiB; give a TOML file", path));
    }
    return std::move(*content);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

} // namespace

std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& valid) {
    constexpr std::size_t longest = 64; // beyond it nothing is near, and the distance costs its square
    std::size_t best = longest;
    std::string_view nearest;
    for (const auto candidate : valid) {
        const std::size_t distance = wrong.size() > longest ? longest : edit_distance(wrong, candidate);
        if (distance < best && distance <= 1 + std::max(wrong.size(), candidate.size()) / 3) {
            best = distance;
            nearest = candidate;
        }
    }
    if (!nearest.empty()) {
        return fmt::format("did you mean `{}`?", nearest);
    }
    return fmt::format("known here: {}", fmt::join(valid, ", "));
}

struct TomlTable::Node {
    std::shared_ptr<Document> document;
    const toml::table* table = nullptr;
    std::string path; // "engine."; empty for the root

    std::string full(std::string_view key) const { return path + std::string(key); }

    void complain(const toml::source_position& at, std::string_view key, std::string_view reason) const {
        report(document->errors, fmt::format("{}: {}: {}", place(document->name, at), full(key), reason));
    }

    void wrong_type(const toml::node& node, std::string_view key, std::string_view expected) const {
        complain(node.source().begin, key, fmt::format("expected {}, found {}", expected, type_name(node)));
    }

    template <class T>
    std::optional<T> value(std::string_view key, std::string_view expected) const {
        const toml::node* node = table->get(key);
        if (node == nullptr) {
            return std::nullopt;
        }
        if (const auto* typed = node->as<T>()) {
            return typed->get();
        }
        wrong_type(*node, key, expected);
        return std::nullopt;
    }

    TomlTable child(const toml::table& inner, std::string_view key) const {
        return TomlTable(std::make_shared<const Node>(Node{document, &inner, full(key) + "."}));
    }
};

TomlTable::TomlTable(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

TomlTable TomlTable::from_text(std::string_view toml, std::string_view source_name, TomlErrors* errors) {
    auto document = std::make_shared<Document>();
    document->name = source_name;
    document->errors = errors;
    try {
        document->root = toml::parse(toml);
    } catch (const toml::parse_error& error) {
        report(errors, fmt::format("{}: syntax: {}", place(source_name, error.source().begin), error.description()));
    }
    const toml::table& root = document->root;
    return TomlTable(std::make_shared<const Node>(Node{std::move(document), &root, {}}));
}

TomlTable TomlTable::from_file(const std::string& path, TomlErrors* errors) {
    try {
        return from_text(checked_file(path), path, errors);
    } catch (const Error& error) {
        report(errors, error.what());
    }
    return from_text("", path, errors);
}

std::string TomlTable::where() const {
    const auto& begin = node_->table->source().begin;
    return begin ? place(node_->document->name, begin) : node_->document->name + ":1:1";
}

void TomlTable::allow_only(std::span<const std::string_view> keys) const {
    for (const auto& [key, value] : *node_->table) {
        if (std::find(keys.begin(), keys.end(), key.str()) == keys.end()) {
            node_->complain(key.source().begin, key.str(),
                            "unknown key; " +
                                suggestion(key.str(), std::vector<std::string_view>(keys.begin(), keys.end())));
        }
    }
}

bool TomlTable::has(std::string_view key) const {
    return node_->table->contains(key);
}

std::optional<std::string> TomlTable::text(std::string_view key) const {
    return node_->value<std::string>(key, "string");
}

std::optional<bool> TomlTable::boolean(std::string_view key) const {
    return node_->value<bool>(key, "boolean");
}

std::optional<std::int64_t> TomlTable::integer(std::string_view key) const {
    return node_->value<std::int64_t>(key, "integer");
}

std::optional<std::int64_t> TomlTable::date_ms(std::string_view key) const {
    const auto date = node_->value<toml::date>(key, "date (2027-06-30, without quotes and time)");
    if (!date) {
        return std::nullopt;
    }
    const std::chrono::sys_days day{std::chrono::year{date->year} / date->month / date->day};
    return std::chrono::milliseconds(day.time_since_epoch()).count();
}

std::optional<std::vector<std::string>> TomlTable::texts(std::string_view key) const {
    const toml::node* node = node_->table->get(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    const auto* array = node->as_array();
    if (array == nullptr) {
        node_->wrong_type(*node, key, "array of strings");
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const auto& element : *array) {
        if (const auto* text = element.as_string()) {
            texts.push_back(text->get());
        } else {
            node_->wrong_type(element, key, "string");
        }
    }
    return texts;
}

std::optional<TomlTable> TomlTable::table(std::string_view key) const {
    const toml::node* node = node_->table->get(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (const auto* inner = node->as_table()) {
        return node_->child(*inner, key);
    }
    node_->wrong_type(*node, key, "table");
    return std::nullopt;
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) const {
    std::vector<TomlTable> made;
    const toml::node* node = node_->table->get(key);
    if (node == nullptr) {
        return made;
    }
    const auto* array = node->as_array();
    if (array == nullptr) {
        node_->wrong_type(*node, key, fmt::format("array of tables ([[{}]])", node_->full(key)));
        return made;
    }
    for (const auto& element : *array) {
        if (const auto* inner = element.as_table()) {
            made.push_back(node_->child(*inner, key));
        } else {
            node_->wrong_type(element, key, "table");
        }
    }
    return made;
}

std::vector<std::pair<std::string, TomlTable>> TomlTable::named_tables() const {
    std::vector<std::pair<std::string, TomlTable>> made;
    for (const auto& [key, value] : *node_->table) {
        if (const auto* inner = value.as_table()) {
            made.emplace_back(key.str(), node_->child(*inner, key.str()));
        } else {
            node_->wrong_type(value, key.str(), "table");
        }
    }
    return made;
}

std::string TomlTable::required_text(std::string_view key) const {
    if (!has(key)) {
        complain(key, "missing; it is required here");
    }
    return text(key).value_or("");
}

void TomlTable::complain(std::string_view key, std::string_view reason) const {
    const toml::node* node = node_->table->get(key);
    const auto& begin = node != nullptr ? node->source().begin : node_->table->source().begin;
    const toml::source_position start{1, 1};
    node_->complain(begin ? begin : start, key, reason);
}

} // namespace luatrail::base
