// Whatever the bytes and their chunks: both parsers yield the same records and refuse the same lines.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/source/parser.hpp"

using namespace luatrail;

namespace {

class Recorder final : public source::RecordSink {
  public:
    void on_record(const audit::Record& record) override {
        std::string text(record.node);
        text.append("|").append(record.type_name).append("|").append(std::to_string(record.type)).append("|");
        text.append(audit::to_string(record.id)).append("|").append(record.body).append("|").append(record.enriched);
        records.push_back(text);
    }
    void on_malformed(source::Malformed reason, std::string_view line) override {
        malformed.push_back(std::string(source::to_string(reason)).append("|").append(line));
    }

    std::vector<std::string> records;
    std::vector<std::string> malformed;
};

Recorder parse(std::string_view bytes, source::ParserKind kind, std::size_t chunk) {
    Recorder recorder;
    const auto parser = source::make_parser(kind, recorder);
    while (!bytes.empty()) {
        parser->feed(bytes.substr(0, chunk));
        bytes.remove_prefix(std::min(chunk, bytes.size()));
    }
    parser->finish();
    std::sort(recorder.records.begin(), recorder.records.end());
    return recorder;
}

} // namespace

// libauparse 3.0.9 forgets the first of two "cwd=" fields in one record (34 bytes), which no kernel writes.
extern "C" const char* __lsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier): the sanitizer's name
    return "leak:libauparse";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::size_t chunk = data[0] + 1U;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto native = parse(bytes, source::ParserKind::native, std::string_view::npos);
    for (const auto& other :
         {parse(bytes, source::ParserKind::native, chunk), parse(bytes, source::ParserKind::auparse, chunk)}) {
        if (other.records != native.records || other.malformed != native.malformed) {
            std::fputs("the parsers differ\n", stderr);
            std::abort();
        }
    }
    return 0;
}
