#include "luatrail/setup/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/base/toml_reader.hpp"
#include "setup/config_keys.hpp"

namespace luatrail::setup {
namespace {

using base::TomlTable;

// A key of a file beside its row of the table.
struct Given {
    const TomlTable& table;
    const ConfigKey& key;

    void complain(std::string_view reason) const { table.complain(key.name, reason); }
    void out_of_range(std::string_view value) const {
        complain(fmt::format("{} is out of range; {}", value, key.values));
    }
};

std::optional<std::int64_t> bytes_of(std::string_view text) {
    const auto bytes = parse_size(text);
    return bytes ? std::optional(static_cast<std::int64_t>(*bytes)) : std::nullopt;
}

// A duration or a size: a number with a unit, within the row's range.
std::optional<KeyValue> measured(const Given& given, const std::string& text) {
    const bool duration = given.key.type == KeyType::duration;
    const auto parse = duration ? base::parse_duration : bytes_of;
    const auto number = parse(text);
    if (!number) {
        given.complain(fmt::format("`{}` is no {}", text,
                                   duration ? "duration; write it as \"250ms\", \"30s\", \"10m\", \"2h\" or \"7d\""
                                            : "size; write it as \"64MiB\" or \"1GiB\""));
        return std::nullopt;
    }
    const auto [low, high] = range_of(given.key);
    if (*number < *parse(low) || *number > *parse(high)) {
        given.out_of_range(fmt::format("`{}`", text));
        return std::nullopt;
    }
    return KeyValue{*number, false, text, {}};
}

std::optional<KeyValue> counted(const Given& given) {
    const auto number = given.table.integer(given.key.name);
    if (!number) {
        return std::nullopt;
    }
    const auto [low, high] = range_of(given.key);
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::from_chars(low.data(), low.data() + low.size(), least);
    std::from_chars(high.data(), high.data() + high.size(), most);
    if (*number < least || *number > most) {
        given.out_of_range(std::to_string(*number));
        return std::nullopt;
    }
    return KeyValue{*number, false, {}, {}};
}

std::optional<KeyValue> named(const Given& given, const std::string& text) {
    const auto words = words_of(given.key);
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) {
        given.complain(fmt::format("unknown value `{}`; {}", text, base::suggestion(text, words)));
        return std::nullopt;
    }
    return KeyValue{found - words.begin(), false, text, {}};
}

std::optional<KeyValue> located(const Given& given, const std::string& text) {
    if (!text.starts_with('/')) {
        given.complain(fmt::format("`{}` is relative, to a directory that nobody chose; give an absolute path", text));
        return std::nullopt;
    }
    return KeyValue{0, false, text, {}};
}

std::optional<KeyValue> read_text(const Given& given) {
    const auto text = given.table.text(given.key.name);
    if (!text) {
        return std::nullopt;
    }
    if (const auto reason = given.key.wrong != nullptr ? given.key.wrong(*text) : std::string{}; !reason.empty()) {
        given.complain(reason);
        return std::nullopt;
    }
    switch (given.key.type) {
    case KeyType::word:
        return named(given, *text);
    case KeyType::path:
        return located(given, *text);
    case KeyType::account:
        return KeyValue{0, false, *text, {}};
    default:
        return measured(given, *text);
    }
}

// Nothing when the key is absent or wrong; what is wrong has been complained of.
std::optional<KeyValue> read_value(const Given& given) {
    switch (given.key.type) {
    case KeyType::number:
        return counted(given);
    case KeyType::boolean:
        if (const auto flag = given.table.boolean(given.key.name)) {
            return KeyValue{0, *flag, {}, {}};
        }
        return std::nullopt;
    case KeyType::patterns:
        if (auto texts = given.table.texts(given.key.name)) {
            return KeyValue{0, false, {}, std::move(*texts)};
        }
        return std::nullopt;
    case KeyType::reserved:
        if (given.table.has(given.key.name)) {
            given.complain(fmt::format("is {}, which is not supported yet; remove it", given.key.meaning));
        }
        return std::nullopt;
    default:
        return read_text(given);
    }
}

std::vector<std::string_view> sections() {
    std::vector<std::string_view> names;
    for (const auto& key : config_keys()) {
        if (names.empty() || names.back() != key.section) {
            names.push_back(key.section);
        }
    }
    return names;
}

std::vector<std::string_view> keys_of(std::string_view section) {
    std::vector<std::string_view> names;
    for (const auto& key : config_keys()) {
        if (key.section == section) {
            names.push_back(key.name);
        }
    }
    return names;
}

void read_into(Config& config, const TomlTable& file) {
    file.allow_only(sections());
    for (const auto section : sections()) {
        const auto table = file.table(section);
        if (!table) {
            continue;
        }
        table->allow_only(keys_of(section));
        for (const auto& key : config_keys()) {
            if (key.section != section) {
                continue;
            }
            if (const auto value = read_value({*table, key})) {
                key.set(config, *value);
            }
        }
    }
}

Config read_config(const TomlTable& file) {
    Config config;
    read_into(config, file);
    return config;
}

bool has_wildcard(std::string_view pattern) {
    return pattern.find_first_of("*?[") != std::string_view::npos;
}

bool is_default(const std::string& pattern) {
    const Config::Detect defaults = Config{}.detect;
    const auto among = [&pattern](const std::vector<std::string>& all) {
        return std::find(all.begin(), all.end(), pattern) != all.end();
    };
    return among(defaults.baseline) || among(defaults.profiles);
}

struct Globbed {
    glob_t found{};
    Globbed() = default;
    Globbed(const Globbed&) = delete;
    Globbed& operator=(const Globbed&) = delete;
    ~Globbed() { ::globfree(&found); }
};

// A directory that can't be listed is an error: files that can't be read must not look like files that are not there.
std::vector<std::string> expand(const std::string& pattern) {
    Globbed result;
    switch (::glob(pattern.c_str(), GLOB_ERR | GLOB_NOSORT, nullptr, &result.found)) {
    case 0:
        break;
    case GLOB_NOMATCH:
        return {};
    default:
        if (errno == ENOENT) { // no such directory: nothing matches
            return {};
        }
        throw base::Error(fmt::format("{}: {}; make its directory readable for this user", pattern,
                                      std::generic_category().message(errno)));
    }
    std::vector<std::string> files(result.found.gl_pathv, result.found.gl_pathv + result.found.gl_pathc);
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

const Config& Config::defaults() {
    static const Config made = [] {
        std::string toml;
        std::string_view section;
        for (const auto& key : config_keys()) {
            if (key.section != section) {
                section = key.section;
                toml += fmt::format("[{}]\n", section);
            }
            if (!key.default_value.empty()) {
                toml += toml_line(key, key.default_value) + '\n';
            }
        }
        Config config{Blank{}};
        read_into(config, TomlTable::from_text(toml, "the defaults"));
        return config;
    }();
    return made;
}

Config::Config() : Config(defaults()) {}

Config load_config(const std::string& path) {
    return read_config(TomlTable::from_file(path));
}

Config parse_config(std::string_view toml, std::string_view source_name) {
    return read_config(TomlTable::from_text(toml, source_name));
}

std::vector<std::string> check_config(const std::string& path) {
    base::TomlErrors errors;
    const auto file = TomlTable::from_file(path, &errors);
    read_config(file);
    if (!errors.empty()) {
        return errors;
    }
    for (const auto& key : config_keys()) {
        const auto table = file.table(key.section);
        if (!table || key.type != KeyType::patterns) {
            continue;
        }
        for (const auto& pattern : table->texts(key.name).value_or(std::vector<std::string>{})) {
            try {
                find_files({pattern});
            } catch (const base::Error& error) {
                table->complain(key.name, error.what());
            }
        }
    }
    return errors;
}

std::vector<std::string> find_files(const std::vector<std::string>& patterns) {
    std::vector<std::string> files;
    const auto add = [&files](const std::string& file) {
        if (std::find(files.begin(), files.end(), file) == files.end()) {
            files.push_back(file);
        }
    };
    for (const auto& pattern : patterns) {
        struct stat status {};
        if (has_wildcard(pattern)) {
            for (const auto& file : expand(pattern)) {
                add(file);
            }
        } else if (::stat(pattern.c_str(), &status) == 0) {
            add(pattern);
        } else if (errno != ENOENT || !is_default(pattern)) {
            throw base::Error(fmt::format("{}: {}; check the path", pattern, std::generic_category().message(errno)));
        }
    }
    return files;
}

bool may_not_read(const std::string& pattern) {
    if (!has_wildcard(pattern)) {
        return ::access(pattern.c_str(), R_OK) != 0 && errno == EACCES;
    }
    Globbed result;
    if (::glob(pattern.c_str(), GLOB_ERR | GLOB_NOSORT, nullptr, &result.found) == GLOB_ABORTED) {
        return errno == EACCES;
    }
    return std::any_of(result.found.gl_pathv, result.found.gl_pathv + result.found.gl_pathc,
                       [](const char* file) { return ::access(file, R_OK) != 0 && errno == EACCES; });
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> units{{{"B", 1},
                                                                               {"KiB", 1ULL << 10U},
                                                                               {"MiB", 1ULL << 20U},
                                                                               {"GiB", 1ULL << 30U},
                                                                               {"kB", 1'000},
                                                                               {"MB", 1'000'000},
                                                                               {"GB", 1'000'000'000}}};
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& [name, factor] : units) {
        if (unit == name && number <= std::numeric_limits<std::uint64_t>::max() / factor) {
            return number * factor;
        }
    }
    return std::nullopt;
}

} // namespace luatrail::setup
