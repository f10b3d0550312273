// luatrail baseline: expectations proposed from an inventory or from logs, checked, and explained.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/inventory_command.hpp"
#include "cli/reading.hpp"
#include "luatrail/base/atomic_file.hpp"
#include "luatrail/base/clock.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/detect/proposal.hpp"
#include "luatrail/report/expectation_words.hpp"
#include "luatrail/report/proposal_words.hpp"

namespace luatrail::cli {
namespace {

struct BaselineOptions {
    ReadingOptions reading; // of learn, check and explain
    std::vector<std::string> files, logs;
    std::string inventory, root, id;
};

std::shared_ptr<const inventory::Inventory> facts_of(const BaselineOptions& options) {
    if (!options.root.empty()) {
        return std::make_shared<const inventory::Inventory>(build_inventory(options.root, {}));
    }
    return options.inventory.empty() ? nullptr
                                     : std::make_shared<const inventory::Inventory>(inventory::load(options.inventory));
}

int write_out(const std::string& path, const std::string& text) {
    if (path.empty()) {
        fmt::print("{}", text);
        return std::fflush(stdout) == 0 ? base::exit_clean : base::exit_trouble;
    }
    constexpr mode_t readable = 0644;
    if (const auto failed = base::write_atomically(path, {}, text, readable, false)) {
        throw base::Error(fmt::format("{}: {}; name a file in a directory that you may write", failed->path,
                                      std::strerror(failed->error)));
    }
    return base::exit_clean;
}

void say_for_anybody(const std::vector<detect::Proposal>& proposals) {
    std::vector<std::string> ids;
    for (const auto& one : proposals) {
        if (one.for_anybody()) {
            ids.push_back(one.rule.id);
        }
    }
    if (!ids.empty()) {
        base::say(fmt::format("{} of them name no user, because nothing says who runs it, and expect it of anybody: "
                              "{}; add the user to each",
                              ids.size(), base::printable(fmt::format("{}", fmt::join(ids, ", ")))));
    }
}

int propose(const BaselineOptions& options) {
    const auto facts = facts_of(options);
    const auto proposals = detect::propose(*facts);
    base::say(fmt::format("{} expectations proposed; read each before you use it", proposals.size()));
    say_for_anybody(proposals);
    return write_out(
        options.reading.output,
        report::to_toml(proposals, {fmt::format("Proposed by `luatrail baseline build` from the packages of {}.",
                                                facts->system.empty() ? "a system" : facts->system),
                                    "Each entry says why it is here. Read each: what is expected is your decision."}));
}

// Runs the engine over the logs. False when something could not be read.
bool run_engine(const ReadingOptions& reading, detect::EngineOptions options, detect::FindingSink& sink) {
    detect::Engine engine(std::move(options), sink);
    const OutputFiles files({});
    auto pipe = pipeline_options(reading, files);
    pipe.watch = [&engine](const audit::Record& record) { engine.on_record(record); };
    setup::Pipeline pipeline(pipe, engine, [&](std::string_view node) { engine.note_loss(node); });
    return read_all(reading, pipeline);
}

// With a baseline that expects nothing every run is a finding.
detect::EngineOptions expecting_nothing(const BaselineOptions& options) {
    detect::EngineOptions made;
    made.baseline.load_text("schema = 1\n", "nothing");
    made.inventory = facts_of(options);
    return made;
}

int learn(const BaselineOptions& options) {
    detect::Learner learner;
    const bool good = run_engine(options.reading, expecting_nothing(options), learner);
    for (const auto& one : learner.left_out()) {
        base::say(fmt::format("left out: {}", base::printable(report::words(one))));
    }
    const auto proposals = learner.proposals();
    base::say(fmt::format("{} expectations proposed; read each before you use it", proposals.size()));
    const int written =
        write_out(options.reading.output,
                  report::to_toml(proposals, {"Proposed by `luatrail baseline learn` from what ran.",
                                              "That something ran often does not make it right: read each entry."}));
    return good ? written : base::exit_trouble;
}

detect::Baseline baseline_of(const std::vector<std::string>& files) {
    detect::Baseline baseline;
    for (const auto& file : setup::find_files(files)) {
        baseline.load(file);
    }
    return baseline;
}

// Which rules some run of the logs meets.
class Matches : public detect::FindingSink {
  public:
    explicit Matches(const detect::Baseline& baseline) : baseline_(baseline), met(baseline.rules().size()) {}
    void on_finding(const detect::Finding& finding) override {
        const auto facts = detect::facts_of(finding);
        for (std::size_t at = 0; at < met.size(); ++at) {
            met[at] = met[at] || detect::compare(baseline_.rules()[at], facts).matches();
        }
    }

  private:
    const detect::Baseline& baseline_;

  public:
    std::vector<bool> met;
};

int check(BaselineOptions& options) {
    const auto baseline = baseline_of(options.files);
    std::size_t doubtful = 0;
    const auto doubt = [&doubtful](const detect::Rule& rule, const std::string& what) {
        fmt::print("{}: {}: {}\n", base::printable(rule.source), base::printable(rule.id), base::printable(what));
        ++doubtful;
    };
    for (const auto& rule : baseline.rules()) {
        if (const auto wide = detect::too_wide(rule)) {
            doubt(rule, report::words(*wide, rule));
        }
        if (rule.expires_ms && *rule.expires_ms <= base::wall_clock_ms()) {
            doubt(rule, "it has expired");
        }
    }
    bool good = true;
    if (!options.logs.empty()) {
        options.reading.paths = options.logs;
        Matches matches(baseline);
        good = run_engine(options.reading, expecting_nothing(options), matches);
        for (std::size_t at = 0; at < matches.met.size(); ++at) {
            if (!matches.met[at]) {
                doubt(baseline.rules()[at], "no run of these logs matches it");
            }
        }
    }
    fmt::print("{} expectations, {} of them doubtful\n", baseline.rules().size(), doubtful);
    if (std::fflush(stdout) != 0 || !good) {
        return base::exit_trouble;
    }
    return doubtful > 0 ? base::exit_finding : base::exit_clean;
}

class Wanted : public detect::FindingSink {
  public:
    explicit Wanted(std::string id) : id_(std::move(id)) {}
    void on_finding(const detect::Finding& finding) override {
        const bool this_one =
            finding.id == id_ ||
            (finding.events.empty() ? std::string() : audit::to_string(finding.events.front())) == id_;
        if (this_one && !found) {
            found = finding;
        }
    }
    std::optional<detect::Finding> found;

  private:
    std::string id_;
};

// A finding's id is of the run and its kind, so it is the same without a baseline.
int explain(BaselineOptions& options) {
    const auto baseline = baseline_of(options.files);
    options.reading.paths = options.logs;
    Wanted wanted(options.id);
    const bool good = run_engine(options.reading, expecting_nothing(options), wanted);
    if (!wanted.found) {
        throw base::Error(fmt::format("{}: no run with this finding's or event's id; give the id of a finding, or "
                                      "SECONDS.MILLIS:SERIAL of the run",
                                      base::printable(options.id)));
    }
    const auto& finding = *wanted.found;
    const auto facts = detect::facts_of(finding);
    const auto shown = [](const std::optional<std::string>& text) {
        return text ? base::printable(*text) : std::string("not known");
    };
    fmt::print("{} at {}\n  executable {}\n  user {}{}\n  script {}\n  script_package {}\n  code {}\n  parent {}\n  "
               "unit {}\n  "
               "modules {}\n  interactive {}\n",
               finding.id, base::iso_time(finding.time_ms), shown(facts.exe), shown(facts.user_name),
               facts.uid ? fmt::format(" (uid {}, {})", *facts.uid, *facts.login ? "login" : "service") : std::string(),
               shown(facts.script), shown(facts.script_package), shown(facts.code), shown(facts.parent_exe),
               shown(facts.unit),
               facts.modules.empty() ? "none" : base::printable(fmt::format("{}", fmt::join(facts.modules, ", "))),
               facts.interactive ? "true" : "false");
    bool expected = false;
    for (const auto& rule : baseline.rules()) {
        const auto compared = detect::compare(rule, facts);
        const auto doubt = compared.matches() ? detect::doubt_of(finding, rule.id) : std::nullopt;
        expected = expected || (compared.matches() && !doubt);
        const auto why = doubt ? report::words(*doubt) : report::words(rule, compared);
        fmt::print("{}: {} {}\n", base::printable(rule.source), base::printable(rule.id), base::printable(why));
    }
    if (std::fflush(stdout) != 0 || !good) {
        return base::exit_trouble;
    }
    return expected ? base::exit_clean : base::exit_finding;
}

void add_facts(CLI::App& app, BaselineOptions& options) {
    auto* file =
        app.add_option("--inventory", options.inventory, "What the host's packages own (luatrail inventory build)")
            ->type_name("FILE");
    app.add_option("--root", options.root, "The same, read from the host's root, mounted or copied")
        ->type_name("DIR")
        ->excludes(file);
}

} // namespace

Command add_baseline(CLI::App& app) {
    app.require_subcommand(1);
    auto options = std::make_shared<BaselineOptions>();

    auto* build_app = app.add_subcommand("build", "Propose entries from an inventory");
    add_facts(*build_app, *options);
    build_app->add_option("-o,--output", options->reading.output, "Write to this file instead of standard output")
        ->type_name("FILE");
    build_app->footer("Exit status: 0 written, 2 something could not be read or written.");

    auto* learn_app = app.add_subcommand("learn", "Propose entries from what ran in saved logs");
    add_facts(*learn_app, *options);
    add_reading_options(*learn_app, options->reading);
    learn_app->footer(
        "Never proposes a run that was chained with a drop or a memory artifact, nor code without a file; "
        "reports what it left out.\n"
        "Exit status: 0 written, 2 something could not be read or written.");

    auto* check_app = app.add_subcommand(
        "check", "Report errors, entries so wide that they would hide an attack, and entries that match nothing");
    check_app->add_option("FILE", options->files, "Baselines")->required();
    check_app->add_option("--log", options->logs, "A log in which each entry should match a run (repeatable)")
        ->type_name("PATH")
        ->allow_extra_args(false);
    add_facts(*check_app, *options);
    check_app->footer(
        "Exit status: 0 nothing doubtful, 1 something is, 2 an error in a file, or something could not be read.");

    auto* explain_app =
        app.add_subcommand("explain", "Show which entry a run matches, or for each entry the key that differs");
    explain_app->add_option("ID", options->id, "A finding's id, or the id of the run's event, SECONDS.MILLIS:SERIAL")
        ->required();
    explain_app->add_option("PATH", options->logs, "The logs that hold it")->required();
    explain_app->add_option("--baseline", options->files, "What is expected (repeatable; globs are expanded)")
        ->type_name("FILE")
        ->allow_extra_args(false)
        ->required();
    add_facts(*explain_app, *options);
    explain_app->footer("Exit status: 0 an entry matches, 1 none does, 2 no such run, or something could not be read.");

    for (auto* command : {build_app, learn_app, check_app, explain_app}) {
        command->set_version_flag("-V,--version", app.version());
    }
    return [=] {
        if (build_app->parsed() && options->inventory.empty() && options->root.empty()) {
            options->inventory = setup::Config{}.detect.inventory;
        }
        return build_app->parsed()   ? propose(*options)
               : learn_app->parsed() ? learn(*options)
               : check_app->parsed() ? check(*options)
                                     : explain(*options);
    };
}

} // namespace luatrail::cli
