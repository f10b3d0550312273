// luatrail events: what the engine sees, before detection.
#include <cerrno>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/reading.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/base/clock.hpp"
#include "report/json_writer.hpp"

namespace luatrail::cli {
namespace {

using report::Json;

struct EventsOptions {
    ReadingOptions reading;
    bool exec = false;
};

std::optional<std::string> owned(audit::Text text) {
    return text ? std::optional<std::string>(*text) : std::nullopt;
}

std::optional<std::string> owned_if_any(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

Json path_value(const audit::PathItem& item) {
    Json value;
    value["item"] = item.item;
    report::put_optional(value, "name", owned(item.name));
    report::put_optional(value, "inode", item.inode);
    report::put_optional(value, "dev", owned_if_any(item.dev_text));
    report::put_optional(value, "nametype", owned_if_any(item.nametype_text));
    return value;
}

// "execve" for what luatrail knows by name, else the number or name as written.
std::optional<std::string> call_name(const audit::Syscall& call) {
    const auto name = audit::to_string(call.call);
    return owned_if_any(name.empty() ? call.call_text : name);
}

Json event_value(const audit::TypedEvent& event) {
    const auto& call = event.syscall;
    Json value;
    value["id"] = audit::to_string(event.id);
    report::put_optional(value, "node", owned_if_any(event.node));
    report::put_optional(value, "arch", owned_if_any(call.arch_text));
    report::put_optional(value, "call", call_name(call));
    report::put_optional(value, "success",
                         call.success ? std::optional<std::string>(*call.success ? "yes" : "no") : std::nullopt);
    report::put_optional(value, "exit", call.exit);
    report::put_optional(value, "pid", call.pid);
    report::put_optional(value, "ppid", call.ppid);
    report::put_optional(value, "comm", owned(call.comm));
    report::put_optional(value, "exe", owned(call.exe));
    report::put_optional(value, "argc", event.execve.argc);
    if (event.has_execve) {
        report::put_texts(value, "argv", event.execve.argv);
        value["missing"] = event.execve.missing; // indices that no record carried
        value["truncated"] = event.execve.truncated;
    } else {
        value["argv"] = nullptr;
    }
    report::put_optional(value, "cwd", owned(event.cwd));
    auto paths = Json::array();
    for (const auto& item : event.paths) {
        paths.push_back(path_value(item));
    }
    value["paths"] = std::move(paths);
    value["records"] = event.record_count;
    value["partial"] = event.partial;
    return value;
}

class EventPrinter : public audit::EventSink {
  public:
    EventPrinter(const EventsOptions& options, std::FILE* out)
        : exec_only_(options.exec), since_(options.reading.since_ms()), until_(options.reading.until_ms()), out_(out) {}

    void on_event(const audit::Event& event) override {
        if (failed || event.id.time_ms < since_ || event.id.time_ms > until_) {
            return;
        }
        const auto& typed = decoder_.decode(event);
        if (exec_only_ && !typed.is_exec()) {
            return;
        }
        auto line = report::json_line(event_value(typed), report::Characters::utf8);
        line.push_back('\n');
        if (std::fwrite(line.data(), 1, line.size(), out_) != line.size()) {
            fail();
        }
    }

    void finish() {
        if (!failed && std::fflush(out_) != 0) {
            fail();
        }
    }

    std::optional<std::string> failed;

  private:
    void fail() { failed = std::strerror(errno); }

    bool exec_only_;
    std::int64_t since_, until_;
    std::FILE* out_;
    audit::Decoder decoder_;
};

int events(const EventsOptions& options) {
    const auto started = base::monotonic_ms();
    check(options.reading);
    const OutputFiles files(options.reading);
    EventPrinter printer(options, files.out());
    setup::Pipeline pipeline(pipeline_options(options.reading, files), printer, [](std::string_view) {});
    bool good = read_all(options.reading, pipeline);
    printer.finish();
    if (printer.failed) {
        base::say(fmt::format("{}: {}; the events are not complete",
                              options.reading.output.empty() ? "standard output" : options.reading.output,
                              *printer.failed));
        good = false;
    }
    if (options.reading.stats) {
        print_parsing_stats(pipeline, base::monotonic_ms() - started);
    }
    return good ? base::exit_clean : base::exit_trouble;
}

} // namespace

Command add_events(CLI::App& app) {
    auto options = std::make_shared<EventsOptions>();
    app.footer("Exit status: 0 everything was read, 2 something could not be read or written.");
    add_reading_options(app, options->reading);
    app.add_flag("--exec", options->exec, "Only execs: which programs were started, with which arguments");
    return [options] { return events(*options); };
}

} // namespace luatrail::cli
