// Reading saved logs: what `replay` and `events` have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "luatrail/base/console.hpp"
#include "luatrail/setup/pipeline.hpp"
#include "luatrail/source/input.hpp"

namespace CLI {
class App;
}

namespace luatrail::cli {

struct ReadingOptions {
    std::vector<std::string> paths;
    std::string parser = "native";
    std::string output, bad_lines;
    std::optional<std::string> node;
    std::string node_from = "auto";
    std::string since, until;
    bool stats = false, quiet = false;

    std::int64_t since_ms() const; // INT64_MIN when not given
    std::int64_t until_ms() const; // INT64_MAX when not given
};

void add_reading_options(CLI::App& app, ReadingOptions& options);

// What no single option can know: throws base::Error when `since` lies behind `until`.
void check(const ReadingOptions& options);

// The output and bad-lines files, opened before anything is read.
struct OutputFiles {
    explicit OutputFiles(const ReadingOptions& options);
    std::FILE* out() const { return file ? file.get() : stdout; }
    base::File file, bad_lines;
};

setup::PipelineOptions pipeline_options(const ReadingOptions& options, const OutputFiles& files);

// Feeds all inputs in the order of their content, says what could not be read and goes on with the rest. False when
// something failed.
bool read_all(const ReadingOptions& options, setup::Pipeline& pipeline);

// One line each for --stats, on standard error.
void print_parsing_stats(const setup::Pipeline& pipeline, std::int64_t elapsed_ms);

// How many lines were no records, and mostly why; nothing: all were.
std::optional<std::string> not_understood(const source::ParserCounters& parsed);

} // namespace luatrail::cli
