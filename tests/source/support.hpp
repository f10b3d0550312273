// Records as text, so that whole outputs can be compared, and the places where logs for tests lie.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/source/parser.hpp"

namespace source_test {

using namespace luatrail;

inline std::string text_of(const audit::Record& record) {
    std::string text(record.node);
    text.append("|").append(record.type_name).append("|").append(std::to_string(record.type));
    text.append("|").append(audit::to_string(record.id));
    return text.append("|").append(record.body).append("|").append(record.enriched);
}

class Recorder final : public source::RecordSink {
  public:
    void on_record(const audit::Record& record) override { records.push_back(text_of(record)); }
    void on_malformed(source::Malformed reason, std::string_view line) override {
        malformed.push_back(std::string(source::to_string(reason)).append("|").append(line));
    }

    std::vector<std::string> records;
    std::vector<std::string> malformed;

    friend bool operator==(const Recorder& left, const Recorder& right) {
        return left.records == right.records && left.malformed == right.malformed;
    }
};

// Feeds `bytes` in pieces of `chunk` bytes.
inline Recorder parse(std::string_view bytes, source::ParserKind kind, std::size_t chunk = std::string::npos) {
    Recorder recorder;
    const auto parser = source::make_parser(kind, recorder);
    while (!bytes.empty()) {
        parser->feed(bytes.substr(0, chunk));
        bytes.remove_prefix(std::min(chunk, bytes.size()));
    }
    parser->finish();
    return recorder;
}

inline std::vector<std::string> sorted(std::vector<std::string> lines) {
    std::sort(lines.begin(), lines.end());
    return lines;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Third-party logs, which are not part of the project: LUATRAIL_CORPUS, or the directory beside the project's.
inline std::vector<std::filesystem::path> corpus() {
    const char* given = std::getenv("LUATRAIL_CORPUS");
    const std::filesystem::path root = given != nullptr ? given : LUATRAIL_SOURCE_DIR "/../shared/corpus";
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(root)) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

// The project's own recorded logs.
inline std::vector<std::filesystem::path> scenarios() {
    std::vector<std::filesystem::path> files;
    const std::filesystem::path root = LUATRAIL_SOURCE_DIR "/fixtures/scenarios";
    if (std::filesystem::is_directory(root)) {
        for (const auto& entry : std::filesystem::directory_iterator(root)) {
            if (std::filesystem::exists(entry.path() / "audit.log")) {
                files.push_back(entry.path() / "audit.log");
            }
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace source_test
