// Records on their way: parser -> assembler -> what takes the events. Shared by replay, events and plugin.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "luatrail/audit/assembler.hpp"
#include "luatrail/source/parser.hpp"

namespace luatrail::setup {

struct PipelineOptions {
    source::ParserKind parser = source::ParserKind::native;
    audit::AssemblerLimits limits;
    std::optional<std::string> node;                   // only records of this node; "" stands for records without one
    std::FILE* bad_lines = nullptr;                    // malformed lines go here
    std::function<void(const audit::Record&)> watch{}; // sees each record before it is assembled
};

class Pipeline : public source::RecordSink {
  public:
    // `events` outlives the pipeline. `on_loss` is called when a line says that records were lost.
    Pipeline(const PipelineOptions& options, audit::EventSink& events,
             std::function<void(std::string_view node)> on_loss);

    source::Parser& parser() { return *parser_; }
    audit::Assembler& assembler() { return assembler_; }
    const audit::Assembler& assembler() const { return assembler_; }
    const source::ParserCounters& parsed() const { return parser_->counters(); }

    // Why the latest malformed line was none, for messages.
    std::optional<source::Malformed> last_malformed() const { return last_malformed_; }
    // The first error of writing malformed lines.
    // Writes out what the bad-lines file has in its buffer; nothing when all of it could be written.
    const std::optional<std::string>& close_bad_lines();

    void on_record(const audit::Record& record) override;
    void on_malformed(source::Malformed reason, std::string_view line) override;

  private:
    PipelineOptions options_;
    std::function<void(std::string_view)> on_loss_;
    audit::Assembler assembler_;
    std::unique_ptr<source::Parser> parser_;
    std::optional<source::Malformed> last_malformed_;
    std::optional<std::string> bad_lines_error_;
};

} // namespace luatrail::setup
