#include "setup/config_keys.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/time.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace luatrail::setup::config_keys_test {
namespace {

std::string file_with(const ConfigKey& key, std::string_view value) {
    return fmt::format("[{}]\n{}\n", key.section, toml_line(key, value));
}

std::string error_of(std::string_view toml) {
    try {
        parse_config(toml, "c.toml");
    } catch (const base::Error& error) {
        return error.what();
    }
    return "no error";
}

// Values at the ends of what a key takes.
std::vector<std::string> right_values(const ConfigKey& key) {
    switch (key.type) {
    case KeyType::duration:
    case KeyType::size:
    case KeyType::number: {
        const auto [low, high] = range_of(key);
        return {std::string(low), std::string(high)};
    }
    case KeyType::boolean:
        return {"true", "false"};
    case KeyType::word: {
        const auto words = words_of(key);
        return {words.begin(), words.end()};
    }
    case KeyType::path:
        return {"/a.prom", "/b.prom"};
    case KeyType::account:
        return {"root", "_x-1", ""};
    case KeyType::patterns:
        return {"/a/*.toml", "/a/*.toml, /b.toml"};
    case KeyType::reserved:
        break;
    }
    return {};
}

// Values just beyond these.
std::vector<std::string> wrong_values(const ConfigKey& key) {
    const auto [low, high] = range_of(key);
    switch (key.type) {
    case KeyType::duration: {
        const auto least = *base::parse_duration(low);
        std::vector<std::string> wrong{fmt::format("{}ms", *base::parse_duration(high) + 1), "10", "-1s", ""};
        if (least > 0) {
            wrong.push_back(fmt::format("{}ms", least - 1));
        }
        return wrong;
    }
    case KeyType::size:
        return {fmt::format("{}B", *parse_size(low) - 1), fmt::format("{}B", *parse_size(high) + 1), "17179869183GiB",
                "64", ""};
    case KeyType::number:
        return {std::to_string(std::stoll(std::string(low)) - 1), std::to_string(std::stoll(std::string(high)) + 1),
                "-1"};
    case KeyType::word:
        return {"nonsense", "", fmt::format("{}x", words_of(key).front())};
    case KeyType::path:
        return {"a.prom", ""};
    case KeyType::account:
        return {"a b", "a:b", "../a"};
    case KeyType::reserved:
        return {"x"};
    case KeyType::boolean:
    case KeyType::patterns:
        break;
    }
    return {};
}

// A value of another type, as TOML.
std::string_view other_type(const ConfigKey& key) {
    switch (key.type) {
    case KeyType::number:
    case KeyType::boolean:
    case KeyType::patterns:
        return "\"text\"";
    default:
        return "1.5";
    }
}

std::string content_of(std::string_view path) {
    std::ifstream in(fmt::format("{}/{}", LUATRAIL_SOURCE_DIR, path));
    return {std::istreambuf_iterator<char>(in), {}};
}

// Lines of at most 100 columns, each begun with "# ".
std::string comment(const std::string& text) {
    std::istringstream words(text);
    std::string all;
    std::string line = "#";
    for (std::string word; words >> word;) {
        if (line.size() + 1 + word.size() > 100) {
            all += line + '\n';
            line = "#";
        }
        line += ' ' + word;
    }
    return all + line + '\n';
}

bool shows_values(const ConfigKey& key) {
    return !key.values.empty() && key.type != KeyType::path;
}

// config/luatrail.toml as the table has it.
std::string shipped_file() {
    std::string text =
        "# /etc/luatrail/luatrail.toml: every key with its default. `luatrail config check` shows what is "
        "wrong with it.\n";
    std::string_view section;
    for (const auto& key : config_keys()) {
        if (key.type == KeyType::reserved) {
            continue;
        }
        if (key.section != section) {
            section = key.section;
            text += fmt::format("\n[{}]\n", section);
        }
        text += comment(shows_values(key) ? fmt::format("{} ({}).", key.meaning, key.values)
                                          : fmt::format("{}.", key.meaning));
        text += key.default_value.empty() ? "# " + toml_line(key, key.values) : toml_line(key, key.default_value);
        text += '\n';
    }
    return text;
}

TEST_CASE("no key has two rows, and those of a section follow each other") {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    std::set<std::string_view> sections;
    std::string_view section;
    for (const auto& key : config_keys()) {
        INFO(key.section << '.' << key.name);
        CHECK(seen.emplace(key.section, key.name).second);
        if (key.section != section) {
            section = key.section;
            CHECK(sections.insert(section).second);
        }
    }
}

TEST_CASE("the default of every key is what a configuration without it has") {
    for (const auto& key : config_keys()) {
        if (!key.default_value.empty()) {
            INFO(key.section << '.' << key.name);
            CHECK(parse_config(file_with(key, key.default_value), "c.toml") == Config{});
        }
    }
}

TEST_CASE("every key takes all that its row allows, and sets something of its own") {
    std::vector<std::pair<std::string, Config>> made;
    for (const auto& key : config_keys()) {
        for (const auto& value : right_values(key)) {
            const auto toml = file_with(key, value);
            INFO(toml);
            REQUIRE(error_of(toml) == "no error");
            auto config = parse_config(toml, "c.toml");
            if (value == key.default_value) {
                CHECK(config == Config{});
                continue;
            }
            CHECK_FALSE(config == Config{});
            for (const auto& [other, same] : made) {
                INFO(other);
                CHECK_FALSE(config == same);
            }
            made.emplace_back(toml, std::move(config));
        }
    }
}

TEST_CASE("for every key a value beyond its row, or of another type, is an error at its place, and a check finds it") {
    const test::TempDir dir;
    const auto check = [&dir](const ConfigKey& key, const std::string& toml) {
        INFO(toml);
        const auto place = fmt::format(":2:{}: {}.{}: ", key.name.size() + 4, key.section, key.name);
        CHECK(error_of(toml).find("c.toml" + place) == 0);
        const auto file = dir.write("c.toml", toml);
        const auto errors = check_config(file);
        REQUIRE(errors.size() == 1);
        CHECK(errors[0].find(file + place) == 0);
    };
    for (const auto& key : config_keys()) {
        for (const auto& value : wrong_values(key)) {
            check(key, file_with(key, value));
        }
        check(key, fmt::format("[{}]\n{} = {}\n", key.section, key.name, other_type(key)));
    }
}

TEST_CASE("a misspelling of any key or section gets the right one suggested") {
    for (const auto& key : config_keys()) {
        INFO(key.section << '.' << key.name);
        CHECK(error_of(fmt::format("[{}]\n{}x = 1\n", key.section, key.name)) ==
              fmt::format("c.toml:2:1: {0}.{1}x: unknown key; did you mean `{1}`?", key.section, key.name));
        CHECK(error_of(fmt::format("[{}x]\n", key.section)) ==
              fmt::format("c.toml:1:2: {0}x: unknown key; did you mean `{0}`?", key.section));
    }
}

TEST_CASE("the shipped configuration is the table, and changes nothing") {
    CHECK(content_of("config/luatrail.toml") == shipped_file());
    const std::string shipped = std::string(LUATRAIL_SOURCE_DIR) + "/config/luatrail.toml";
    CHECK(load_config(shipped) == Config{});
    CHECK(check_config(shipped) == std::vector<std::string>{});
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

// From one macro line of an mdoc page to the next that begins with one of `ends`.
std::string part_of(const std::string& page, const std::string& begin, const std::vector<std::string>& ends) {
    const auto start = page.find(begin + '\n');
    if (start == std::string::npos) {
        return {};
    }
    auto stop = page.size();
    for (const auto& end : ends) {
        stop = std::min(stop, page.find(end, start + begin.size()));
    }
    return page.substr(start, stop - start);
}

// The manual's words for one key, each macro's name left out: ".Cm local" and "local ,".
std::string manual_entry(const std::string& page, const ConfigKey& key) {
    const auto section = part_of(page, fmt::format(".Ss [{}]\\&", key.section), {"\n.Ss ", "\n.Sh "});
    return part_of(section, fmt::format(".It Va {}", key.name), {"\n.It ", "\n.El"}) + '\n';
}

std::vector<std::string> values_in_manual(const ConfigKey& key) {
    if (key.type != KeyType::word) {
        return shows_values(key) ? std::vector{std::string(key.values)} : std::vector<std::string>{};
    }
    std::vector<std::string> all;
    for (const auto word : words_of(key)) {
        all.push_back(fmt::format("\n.Cm {}", word));
    }
    return all;
}

TEST_CASE("the manual page has every key with its values and its default, and no other") {
    std::string page = content_of("man/luatrail.toml.5");
    replace_all(page, "\\(dq", "\"");
    std::size_t entries = 0;
    for (const auto& key : config_keys()) {
        INFO(key.section << '.' << key.name);
        const auto entry = manual_entry(page, key);
        REQUIRE(entry.size() > 1);
        ++entries;
        for (const auto& value : values_in_manual(key)) {
            INFO(value);
            CHECK(entry.find(value) != std::string::npos);
        }
        if (key.type == KeyType::reserved) {
            continue;
        }
        const auto written = toml_line(key, key.default_value).substr(key.name.size() + 3);
        CHECK(entry.find(key.default_value.empty() ? "\nDefault: none." : "\nDefault:\n.Ql " + written) !=
              std::string::npos);
    }
    const auto described = part_of(page, ".Sh DESCRIPTION", {"\n.Sh "});
    std::size_t items = 0;
    for (auto at = described.find("\n.It Va "); at != std::string::npos; at = described.find("\n.It Va ", at + 1)) {
        ++items;
    }
    CHECK(items == entries);
}

} // namespace
} // namespace luatrail::setup::config_keys_test
