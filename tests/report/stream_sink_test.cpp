#include "luatrail/report/stream_sink.hpp"

#include <csignal>
#include <string>

#include <unistd.h>

#include "luatrail/report/json.hpp"
#include "report/findings.hpp"
#include "support/catch.hpp"

using namespace luatrail;

namespace {

std::string written(report::StreamOptions options) {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    report::StreamSink sink(file, options);
    sink.on_finding(test::dropped_script());
    sink.on_finding(test::bare());
    CHECK(sink.flush());
    CHECK_FALSE(sink.failed().has_value());
    std::rewind(file);
    std::string text(100'000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
}

} // namespace

TEST_CASE("a stream receives one finding a line, or texts with an empty line between them") {
    CHECK(written({}) == report::to_json(test::dropped_script()) + "\n" + report::to_json(test::bare()) + "\n");
    report::StreamOptions text;
    text.format = report::StreamOptions::Format::text;
    CHECK(written(text) == report::to_text(test::dropped_script(), {}) + "\n" + report::to_text(test::bare(), {}));
}

TEST_CASE("a full disk is noticed, at the latest by flush") {
    for (const bool flush_each : {true, false}) {
        std::FILE* full = std::fopen("/dev/full", "w");
        REQUIRE(full != nullptr);
        report::StreamOptions options;
        options.flush_each = flush_each;
        report::StreamSink sink(full, options);
        sink.on_finding(test::bare());
        CHECK(sink.failed().has_value() == flush_each);
        sink.on_finding(test::bare());
        CHECK_FALSE(sink.flush());
        CHECK(sink.failed() == "No space left on device");
        std::fclose(full);
    }
}

TEST_CASE("a reader that went away is an error, and the first error is the one that is told") {
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    std::FILE* pipe = ::fdopen(ends[1], "w");
    REQUIRE(pipe != nullptr);
    report::StreamOptions options;
    options.flush_each = true;
    report::StreamSink sink(pipe, options);
    sink.on_finding(test::bare());
    CHECK_FALSE(sink.failed().has_value());
    ::close(ends[0]);
    sink.on_finding(test::bare());
    CHECK(sink.failed() == "Broken pipe");
    sink.on_finding(test::huge());
    CHECK(sink.failed() == "Broken pipe");
    std::fclose(pipe);
    std::signal(SIGPIPE, before);
}
