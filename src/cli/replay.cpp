// luatrail replay: findings from saved logs.
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/checks.hpp"
#include "cli/commands.hpp"
#include "cli/image_look.hpp"
#include "cli/inventory_command.hpp"
#include "cli/reading.hpp"
#include "luatrail/base/clock.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/report/stream_sink.hpp"
#include "plugin/switch_watch.hpp"

namespace luatrail::cli {
namespace {

struct ReplayOptions {
    ReadingOptions reading;
    std::string config, format = "text", window, min_severity = "info", inventory, root;
    std::vector<std::string> baselines;
};

// Hands on what was asked for and counts it: the exit status depends on it.
class Selection : public detect::FindingSink {
  public:
    Selection(detect::FindingSink& next, detect::Severity least, std::int64_t since, std::int64_t until)
        : next_(next), least_(least), since_(since), until_(until) {}

    void on_finding(const detect::Finding& finding) override {
        if (finding.severity >= least_ && finding.time_ms >= since_ && finding.time_ms <= until_) {
            ++by_severity[static_cast<std::size_t>(finding.severity)];
            ++total;
            next_.on_finding(finding);
        }
    }

    void on_unknown_program(const detect::Finding& program) override {
        if (looks_ && unknown_.size() < most_unknown) {
            unknown_.push_back(program);
        }
    }
    // Has the programs that nobody knows by name looked at in the host's image. After each event; not from the engine.
    void look(detect::Engine& engine) {
        if (unknown_.empty()) {
            return;
        }
        for (const auto& program : std::exchange(unknown_, {})) {
            if (const auto found = looks_->lua_in(program.interpreter.exe.value_or(""))) {
                engine.saw_content(program, *found);
            }
        }
    }
    void look_below(const std::string& root) { looks_.emplace(root); }

    std::uint64_t total = 0;
    std::array<std::uint64_t, 5> by_severity{};

  private:
    static constexpr std::size_t most_unknown = 256; // between two records
    std::optional<ImageLook> looks_;
    std::vector<detect::Finding> unknown_;
    detect::FindingSink& next_;
    detect::Severity least_;
    std::int64_t since_, until_;
};

setup::Config configuration(const CLI::App& app, const ReplayOptions& options) {
    setup::Config config;
    if (options.config.empty()) { // a replay depends on nothing that is not on its command line
        config.detect.baseline.clear();
        config.detect.profiles.clear();
        config.detect.inventory.clear();
        config.detect.min_severity = detect::Severity::info;
    } else {
        config = setup::load_config(options.config);
    }
    if (!options.baselines.empty()) {
        config.detect.baseline = options.baselines;
    }
    if (!options.inventory.empty()) {
        config.detect.inventory = options.inventory;
    }
    if (!options.root.empty()) {
        config.detect.inventory.clear();
    }
    if (!options.window.empty()) {
        config.engine.window_ms = *base::parse_duration(options.window);
    }
    if (app.count("--min-severity") > 0) {
        config.detect.min_severity = *detect::severity_from(options.min_severity);
    }
    return config;
}

report::StreamOptions stream_options(const ReplayOptions& options, std::FILE* out) {
    report::StreamOptions made;
    made.format = options.format == "json" ? report::StreamOptions::Format::json : report::StreamOptions::Format::text;
    made.style.colour = base::wants_colour(out);
    made.style.width = std::min<std::size_t>(base::columns(out), 120);
    return made;
}

std::string counted(const Selection& selection) {
    if (selection.total == 0) {
        return "no finding";
    }
    auto text = fmt::format("{} finding{}:", selection.total, selection.total == 1 ? "" : "s");
    for (std::size_t i = selection.by_severity.size(); i-- > 0;) {
        if (selection.by_severity[i] > 0) {
            text +=
                fmt::format(" {} {},", selection.by_severity[i], detect::to_string(static_cast<detect::Severity>(i)));
        }
    }
    text.pop_back();
    return text;
}

void print_stats(const setup::Pipeline& pipeline, const detect::Engine& engine, std::int64_t elapsed_ms) {
    print_parsing_stats(pipeline, elapsed_ms);
    const auto counters = engine.counters();
    fmt::print(stderr, "execs      {} successful, {} failed\n", counters.execs, counters.failed_execs);
    fmt::print(stderr, "lua        runs: {}, of them expected: {}; calls that run no code: {}\n", counters.runs,
               counters.expected_runs, counters.version_calls);
    fmt::print(stderr, "findings   {} info, {} low, {} medium, {} high, {} critical\n", counters.findings[0],
               counters.findings[1], counters.findings[2], counters.findings[3], counters.findings[4]);
    fmt::print(stderr, "blind      times that records were lost: {}; evicted: {} files, {} processes, {} nodes\n",
               counters.losses, counters.evicted_files, counters.evicted_processes, counters.evicted_nodes);
    fmt::print(stderr, "memory     {:.1f} MiB in tables\n", static_cast<double>(engine.memory()) / (1024 * 1024));
}

int replay(const CLI::App& app, const ReplayOptions& options) {
    const auto started = base::monotonic_ms();
    check(options.reading);
    const auto config = configuration(app, options);
    auto engine_settings = setup::engine_options(config);
    if (!options.root.empty()) {
        engine_settings.inventory = std::make_shared<const inventory::Inventory>(build_inventory(options.root, {}));
    }
    const OutputFiles files(options.reading);
    report::StreamSink stream(files.out(), stream_options(options, files.out()));
    Selection selection(stream, config.detect.min_severity, options.reading.since_ms(), options.reading.until_ms());
    detect::Engine engine(std::move(engine_settings), selection);
    if (!options.root.empty()) {
        selection.look_below(options.root);
    }
    auto pipe = pipeline_options(options.reading, files);
    pipe.limits.max_bytes = setup::in_flight_bytes(config);
    plugin::SwitchWatch switches([](const report::Notice& notice) {
        base::say(fmt::format("{}{}: {}", notice.node ? base::printable(*notice.node) + ": " : "",
                              base::iso_time(notice.time_ms), notice.text));
    });
    pipe.watch = [&](const audit::Record& record) {
        selection.look(engine);
        engine.on_record(record);
        switches.saw(record);
    };
    setup::Pipeline pipeline(pipe, engine, [&](std::string_view node) { engine.note_loss(node); });

    bool good = read_all(options.reading, pipeline);
    selection.look(engine);
    switches.flush();
    if (!stream.flush()) {
        base::say(fmt::format("{}: {}; the findings are not complete",
                              options.reading.output.empty() ? "standard output" : options.reading.output,
                              stream.failed().value_or("write error")));
        good = false;
    }
    if (options.reading.stats) {
        print_stats(pipeline, engine, base::monotonic_ms() - started);
    } else if (!options.reading.quiet && options.format == "text") {
        base::say(fmt::format("{} in {} events", counted(selection), pipeline.assembler().counters().events));
    }
    const bool tell = good && !options.reading.stats && !options.reading.quiet && options.reading.bad_lines.empty();
    if (const auto bad = tell ? not_understood(pipeline.parsed()) : std::nullopt) {
        base::say(*bad);
    }
    if (const auto unchecked = engine.counters().unchecked_runs; unchecked > 0 && !options.reading.quiet) {
        base::say(fmt::format("{} expected run{} by the script's path alone: the baseline names its package, and no "
                              "inventory was given to ask; give --inventory FILE or --root DIR",
                              unchecked, unchecked == 1 ? " is so" : "s are so"));
    }
    if (!good) {
        return base::exit_trouble;
    }
    return selection.total > 0 ? base::exit_finding : base::exit_clean;
}

} // namespace

Command add_replay(CLI::App& app) {
    auto options = std::make_shared<ReplayOptions>();
    app.footer("Exit status: 0 no finding at or above --min-severity, 1 at least one, 2 something could not be read or "
               "written.");
    add_reading_options(app, options->reading);
    app.add_option("-c,--config", options->config, "Read this configuration; without it only the command line counts")
        ->type_name("FILE");
    app.add_option("--baseline", options->baselines, "What is expected (repeatable; globs are expanded)")
        ->type_name("FILE")
        ->allow_extra_args(false); // the words behind one are logs
    auto* inventory =
        app.add_option("--inventory", options->inventory, "What the host's packages own (luatrail inventory build)")
            ->type_name("FILE");
    app.add_option("--root", options->root,
                   "The same, from the host's root (mounted or copied), where unknown programs are looked at")
        ->type_name("DIR")
        ->excludes(inventory);
    app.add_option("--format", options->format, "text for a person, json for one finding a line")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    app.add_option("--window", options->window,
                   "How long before a run a drop counts, and what follows after it (default 10m)")
        ->type_name("DURATION")
        ->check(CLI::Validator(duration_check(), ""));
    app.add_option("--min-severity", options->min_severity,
                   "Report findings from this severity up; the exit status counts only these")
        ->check(CLI::IsMember({"info", "low", "medium", "high", "critical"}))
        ->type_name("LEVEL")
        ->capture_default_str();
    return [&app, options] { return replay(app, *options); };
}

} // namespace luatrail::cli
