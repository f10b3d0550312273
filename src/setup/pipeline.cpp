#include "luatrail/setup/pipeline.hpp"

#include <cerrno>
#include <cstring>

namespace luatrail::setup {

Pipeline::Pipeline(const PipelineOptions& options, audit::EventSink& events,
                   std::function<void(std::string_view)> on_loss)
    : options_(options), on_loss_(std::move(on_loss)), assembler_(options.limits, events),
      parser_(source::make_parser(options.parser, *this)) {}

void Pipeline::on_record(const audit::Record& record) {
    if (options_.node && record.node != *options_.node) {
        return;
    }
    if (options_.watch) {
        options_.watch(record);
    }
    assembler_.push(record);
}

void Pipeline::on_malformed(source::Malformed reason, std::string_view line) {
    last_malformed_ = reason;
    // The kernel reports lost records in its own log, which relays mix into the trail (kernel/audit.c,
    // audit_log_lost).
    if (line.find("audit_lost=") != std::string_view::npos ||
        line.find("audit: backlog limit exceeded") != std::string_view::npos) {
        on_loss_(options_.node.value_or(""));
    }
    if (options_.bad_lines == nullptr || bad_lines_error_) {
        return;
    }
    if (std::fwrite(line.data(), 1, line.size(), options_.bad_lines) != line.size() ||
        std::fputc('\n', options_.bad_lines) == EOF) {
        bad_lines_error_ = std::strerror(errno);
    }
}

const std::optional<std::string>& Pipeline::close_bad_lines() {
    if (options_.bad_lines != nullptr && !bad_lines_error_ && std::fflush(options_.bad_lines) != 0) {
        bad_lines_error_ = std::strerror(errno);
    }
    return bad_lines_error_;
}

} // namespace luatrail::setup
