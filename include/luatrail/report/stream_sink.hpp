// Findings to a file or to standard output.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "luatrail/detect/finding.hpp"
#include "luatrail/report/text.hpp"

namespace luatrail::report {

struct StreamOptions {
    enum class Format : std::uint8_t { json, text } format = Format::json;
    TextStyle style;         // for text
    bool flush_each = false; // live output: each finding is written out at once
};

// Writes one finding a line (json), or findings as text with an empty line between them. Never throws and never closes
// the file, which outlives the sink. The first error ends the writing; the caller asks for it with failed(). SIGPIPE is
// the caller's to ignore: only then a closed pipe is an error like any other.
class StreamSink : public detect::FindingSink {
  public:
    StreamSink(std::FILE* file, const StreamOptions& options) : file_(file), options_(options) {}
    void on_finding(const detect::Finding& finding) override;
    // Writes out what the file buffers. Returns whether everything was written so far; call it before the verdict on
    // the output, because a full disk often shows only here.
    bool flush();
    // "No space left on device"; nothing while all is well.
    const std::optional<std::string>& failed() const { return failed_; }

  private:
    void write(std::string_view text);
    void fail(int error);

    std::FILE* file_;
    StreamOptions options_;
    bool started_ = false;
    std::optional<std::string> failed_;
};

} // namespace luatrail::report
