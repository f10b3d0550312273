#include "luatrail/report/stream_sink.hpp"

#include <cerrno>
#include <exception>
#include <system_error>

#include "luatrail/report/json.hpp"

namespace luatrail::report {

void StreamSink::fail(int error) {
    if (!failed_) {
        failed_ = std::generic_category().message(error);
    }
}

void StreamSink::write(std::string_view text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) {
        fail(errno != 0 ? errno : EIO);
    }
}

void StreamSink::on_finding(const detect::Finding& finding) {
    if (failed_) {
        return;
    }
    try {
        if (options_.format == StreamOptions::Format::json) {
            write(to_json(finding) + '\n');
        } else {
            write((started_ ? "\n" : "") + to_text(finding, options_.style));
        }
    } catch (const std::exception& error) { // memory
        failed_ = error.what();
    }
    started_ = true;
    if (options_.flush_each) {
        flush();
    }
}

bool StreamSink::flush() {
    errno = 0;
    if (!failed_ && std::fflush(file_) != 0) {
        fail(errno != 0 ? errno : EIO);
    }
    return !failed_;
}

} // namespace luatrail::report
