// TOML files read strictly: configuration, baselines, interpreter profiles. Every complaint names its place.
//
// Errors read "file:line:column: key: reason" (for a file that cannot be read: "file: reason; remedy"). A document made
// with a list of errors collects them and reads on, as if the wrong key were absent; without one the first is thrown.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace luatrail::base {

using TomlErrors = std::vector<std::string>;

// One table of a document. Cheap to copy; keeps the document alive.
class TomlTable {
  public:
    // Throws Error, or appends to `errors` and returns an empty table, when the text is not TOML.
    static TomlTable from_text(std::string_view toml, std::string_view source_name, TomlErrors* errors = nullptr);
    // Refuses a file that everybody may write: who writes it decides what is reported. At most 16 MiB.
    static TomlTable from_file(const std::string& path, TomlErrors* errors = nullptr);

    std::string where() const; // "file:line:column"

    // Every other key of this table is an error, with the nearest of `keys` suggested.
    void allow_only(std::span<const std::string_view> keys) const;
    void allow_only(std::initializer_list<std::string_view> keys) const {
        allow_only(std::span(keys.begin(), keys.size()));
    }
    bool has(std::string_view key) const;

    // Nothing when the key is absent; a wrong type is an error that names both types.
    std::optional<std::string> text(std::string_view key) const;
    std::optional<bool> boolean(std::string_view key) const;
    std::optional<std::int64_t> integer(std::string_view key) const;
    std::optional<std::int64_t> date_ms(std::string_view key) const; // a day without a time: its first millisecond, UTC
    std::optional<std::vector<std::string>> texts(std::string_view key) const;
    std::optional<TomlTable> table(std::string_view key) const;
    std::vector<TomlTable> tables(std::string_view key) const;           // [[key]] or an array of inline tables
    std::vector<std::pair<std::string, TomlTable>> named_tables() const; // all members, each of which must be a table

    // The same; absent is an error too.
    std::string required_text(std::string_view key) const;

    // An error at the key's value (at the table when the key is absent): "file:line:column: path.to.key: reason".
    void complain(std::string_view key, std::string_view reason) const;

  private:
    struct Node;
    explicit TomlTable(std::shared_ptr<const Node> node);
    std::shared_ptr<const Node> node_;
};

// "did you mean `window`?", or the list of all when none is near.
std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& valid);

} // namespace luatrail::base
