// Every key of the configuration, one row each. Whatever concerns all keys goes over this table: the reader, its
// errors and suggestions, `config check`, and the tests of the shipped file and the manual page.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luatrail/setup/config.hpp"

namespace luatrail::setup {

enum class KeyType : std::uint8_t {
    duration, // "10m"
    size,     // "64MiB"
    number,
    boolean,
    word,     // one of a few
    path,     // absolute
    account,  // a user's name; empty: none
    patterns, // a list of paths, which may have wildcards
    reserved, // known, and refused: for what is not supported yet
};

// What a file says for one key.
struct KeyValue {
    std::int64_t number = 0; // milliseconds of a duration, bytes of a size, the place of a word in the row's list
    bool flag = false;
    std::string text;
    std::vector<std::string> texts;
};

struct ConfigKey {
    std::string_view section;
    std::string_view name;
    KeyType type;
    std::string_view default_value; // without TOML's quotes; several patterns with commas between; empty: none
    std::string_view values;  // "1ms to 7d" for a range, "local, off" for words, an example for a path without default
    std::string_view meaning; // one line, as config/luatrail.toml shows it
    void (*set)(Config&, const KeyValue&);
    // What else makes a text wrong, or empty. Asked before `values`.
    std::string (*wrong)(std::string_view text) = nullptr;
};

// Keys of one section follow each other.
std::span<const ConfigKey> config_keys();

std::vector<std::string_view> words_of(const ConfigKey& key);                 // "local, off" taken apart
std::pair<std::string_view, std::string_view> range_of(const ConfigKey& key); // "1ms to 7d" taken apart
std::string toml_line(const ConfigKey& key, std::string_view value); // "window = \"10m\"", as its type is written

} // namespace luatrail::setup
