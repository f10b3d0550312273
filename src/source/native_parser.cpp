#include "source/native_parser.hpp"

#include "source/line_parser.hpp"
#include "source/line_splitter.hpp"

namespace luatrail::source {
namespace {

class NativeParser final : public Parser {
  public:
    explicit NativeParser(RecordSink& sink) : sink_(sink) {}

    void feed(std::string_view chunk) override {
        counters_.bytes += chunk.size();
        splitter_.feed(chunk);
    }
    void finish() override { splitter_.finish(); }
    void name_nodes(NodeNaming naming) override { naming_ = std::move(naming); }
    const ParserCounters& counters() const override { return counters_; }

    void line(std::string_view text) {
        audit::Record record;
        if (read_line(text, naming_, counters_, sink_, record)) {
            sink_.on_record(record);
        }
    }
    void too_long(std::string_view start) { refuse_too_long(start, counters_, sink_); }

  private:
    RecordSink& sink_;
    ParserCounters counters_;
    NodeNaming naming_;
    LineSplitter<NativeParser> splitter_{*this};
};

} // namespace

std::unique_ptr<Parser> make_native_parser(RecordSink& sink) {
    return std::make_unique<NativeParser>(sink);
}

} // namespace luatrail::source
