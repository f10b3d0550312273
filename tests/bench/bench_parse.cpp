// bench_parse FILE: how fast FILE is read by luatrail's own parser, by a walk through libauparse, and by luatrail's
// libauparse parser. Reading from disk is part of each.
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "luatrail/source/collect.hpp"
#include "luatrail/source/input.hpp"
#include "walk.hpp"

namespace {

using namespace luatrail;

class Counting final : public source::RecordSink {
  public:
    void on_record(const audit::Record& record) override { bytes += record.body.size(); }
    void on_malformed(source::Malformed /*reason*/, std::string_view /*line*/) override {}

    std::uint64_t bytes = 0; // looked at, so that nothing is optimised away
};

struct Result {
    std::uint64_t records = 0;
    std::string note;
};

Result read(const source::Input& input, source::ParserKind kind) {
    Counting sink;
    const auto parser = source::make_parser(kind, sink);
    if (const auto failure = source::read_input(input, *parser)) {
        throw std::runtime_error(failure->path + ": " + failure->reason);
    }
    const auto& counters = parser->counters();
    return {counters.records, fmt::format("{} malformed, {} recovered, {} bytes of bodies", counters.malformed_total(),
                                          counters.recovered, sink.bytes)};
}

void measure(const char* name, const source::Input& input, const std::function<Result()>& run) {
    double best = 0;
    Result result;
    for (int round = 0; round < 3; ++round) {
        const auto start = std::chrono::steady_clock::now();
        result = run();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        best = round == 0 ? taken.count() : std::min(best, taken.count());
    }
    fmt::print("{:22} {:8.1f} MB/s {:10} records  {}\n", name, static_cast<double>(input.size) / 1e6 / best,
               result.records, result.note);
}

} // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: bench_parse FILE\n", stderr);
        return 2;
    }
    try {
        std::vector<source::InputFailure> failures;
        const auto inputs = source::collect_inputs({arguments[1]}, failures);
        if (inputs.size() != 1) {
            throw std::runtime_error(failures.empty() ? "name one file" : failures[0].path + ": " + failures[0].reason);
        }
        measure("native", inputs[0], [&] { return read(inputs[0], source::ParserKind::native); });
        measure("walk of libauparse", inputs[0], [&] {
            const auto walked = bench::walk_auparse(arguments[1]);
            return Result{walked.records, fmt::format("{} events", walked.events)};
        });
        measure("auparse", inputs[0], [&] { return read(inputs[0], source::ParserKind::auparse); });
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench_parse: {}\n", error.what());
        return 2;
    }
    return 0;
}
