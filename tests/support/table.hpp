// Test tables in files: a new case is a line. Columns are separated by " | "; blank lines and those that start with #
// are skipped.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test {

struct Row {
    std::size_t line = 0;
    std::vector<std::string> cells;
};

inline std::vector<std::string> split(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + separator.size());
    }
}

// `file` is relative to tests/.
inline std::vector<Row> read_table(const std::string& file, std::size_t columns) {
    std::ifstream in(std::string(LUATRAIL_SOURCE_DIR) + "/tests/" + file);
    std::vector<Row> rows;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.empty() || line.front() == '#') {
            continue;
        }
        rows.push_back({number, split(line, " | ")});
        if (rows.back().cells.size() != columns) {
            throw std::runtime_error(file + ":" + std::to_string(number) + ": wrong number of columns");
        }
    }
    if (rows.empty()) {
        throw std::runtime_error(file + ": no rows");
    }
    return rows;
}

} // namespace test
