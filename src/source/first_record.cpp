#include "source/first_record.hpp"

#include "luatrail/source/parser.hpp"

namespace luatrail::source {
namespace {

class FirstOnly final : public RecordSink {
  public:
    void on_record(const audit::Record& record) override {
        if (!first) {
            first = record.id;
        }
    }
    void on_malformed(Malformed /*reason*/, std::string_view /*line*/) override {}

    std::optional<audit::EventId> first;
};

// Small pieces, so that not a whole block is parsed for its first line.
constexpr std::size_t piece_size = 4096;
constexpr std::uint64_t searched = 1024UL * 1024;

} // namespace

std::optional<audit::EventId> first_record(ByteSource& text) {
    FirstOnly sink;
    const auto parser = make_parser(ParserKind::native, sink);
    while (!sink.first && parser->counters().bytes < searched) {
        auto block = text.next();
        if (block.empty()) {
            parser->finish();
            break;
        }
        while (!block.empty() && !sink.first) {
            parser->feed(block.substr(0, piece_size));
            block.remove_prefix(std::min(piece_size, block.size()));
        }
    }
    return sink.first;
}

std::optional<audit::EventId> first_record(std::string_view text) {
    FirstOnly sink;
    const auto parser = make_parser(ParserKind::native, sink);
    parser->feed(text);
    parser->finish();
    return sink.first;
}

} // namespace luatrail::source
