// Whatever the bytes: what is read as records becomes events whose views lie in their records or in the decoder, whose
// numbers are bounded, and that do not depend on how the bytes were cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "luatrail/audit/assembler.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/source/parser.hpp"

using namespace luatrail;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

// Reads every byte that an event leads to, so that a sanitizer sees a view of freed memory.
class Reader final : public audit::EventSink {
  public:
    void on_event(const audit::Event& event) override {
        const auto& typed = decoder_.decode(event);
        require(typed.record_count == event.records.size());
        require(typed.execve.argv.size() <= 65536);
        require(typed.execve.missing.size() <= typed.execve.argv.size());
        told.append(audit::to_string(typed.id)).append(" ").append(typed.node);
        for (const auto& text : {typed.syscall.tty, typed.syscall.comm, typed.syscall.exe, typed.syscall.key,
                                 typed.syscall.user, typed.cwd}) {
            told.append(" ").append(text.value_or("-"));
        }
        for (const auto& word : typed.execve.argv) {
            told.append(" ").append(word);
        }
        int last = -1;
        for (const auto& item : typed.paths) {
            require(item.item >= last || item.item == -1);
            last = item.item;
            told.append(" ").append(item.name.value_or("-")).append(item.dev_text).append(item.nametype_text);
        }
        told.append(typed.partial ? " partial\n" : "\n");
    }
    std::string told;

  private:
    audit::Decoder decoder_;
};

class Feed final : public source::RecordSink {
  public:
    explicit Feed(audit::Assembler& to) : assembler_(to) {}
    void on_record(const audit::Record& record) override { assembler_.push(record); }
    void on_malformed(source::Malformed, std::string_view) override {}

  private:
    audit::Assembler& assembler_;
};

std::string told(std::string_view log, std::size_t chunk) {
    Reader reader;
    audit::AssemblerLimits limits;
    limits.max_events = 16;
    limits.max_event_bytes = 4096;
    audit::Assembler assembler(limits, reader);
    Feed feed(assembler);
    const auto parser = source::make_parser(source::ParserKind::native, feed);
    for (std::size_t at = 0; at < log.size(); at += chunk) {
        parser->feed(log.substr(at, chunk));
    }
    parser->finish();
    assembler.flush();
    require(assembler.in_flight() == 0);
    return reader.told;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view log(reinterpret_cast<const char*>(data), size);
    require(told(log, size + 1) == told(log, 7));
    return 0;
}
