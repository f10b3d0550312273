#include "cli/reading.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/checks.hpp"
#include "cli/commands.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/source/collect.hpp"

namespace luatrail::cli {
namespace {

void say_failure(const source::InputFailure& failure) {
    base::say(failure.remedy.empty() ? fmt::format("{}: {}", failure.path, failure.reason)
                                     : fmt::format("{}: {}; {}", failure.path, failure.reason, failure.remedy));
}

// What turns such lines into records; empty where nothing does.
std::string_view remedy_of(source::Malformed reason) {
    switch (reason) {
    case source::Malformed::interpreted:
        return "this is `ausearch -i` output; save the log with `ausearch --raw` instead";
    case source::Malformed::journal_text:
        return "the journal's text has no event numbers; save it with `journalctl -o export _TRANSPORT=audit` instead";
    case source::Malformed::utf16:
        return "convert it first: iconv -f UTF-16 -t UTF-8";
    default:
        return {};
    }
}

// Many lines and not one record: the file is something else than it was taken for, and silence would look like safety.
std::string nothing_understood(const std::string& path, std::uint64_t lines, std::optional<source::Malformed> why) {
    const auto remedy = why ? remedy_of(*why) : std::string_view();
    return fmt::format("{}: 0 of {} lines are audit records ({}); {}", path, lines,
                       why ? source::to_string(*why) : std::string_view("of another node or shape"),
                       remedy.empty() ? std::string_view("give audit.log files, or `ausearch --raw` output") : remedy);
}

// "db1, web1 and 38 more".
std::string hosts_of(const std::vector<source::Input>& inputs) {
    std::set<std::string> hosts;
    for (const auto& input : inputs) {
        if (!input.host.empty()) {
            hosts.insert(base::printable(input.host));
        }
    }
    constexpr std::size_t shown = 4;
    const auto last = std::next(hosts.begin(), static_cast<std::ptrdiff_t>(std::min(shown, hosts.size())));
    const std::string rest = hosts.size() > shown ? fmt::format(" and {} more", hosts.size() - shown) : "";
    return fmt::format("{}{}", fmt::join(hosts.begin(), last, ", "), rest);
}

// Files that are read in another order than they are written in.
void tell_pieces(const std::vector<source::Input>& inputs, bool quiet) {
    std::map<std::string, std::size_t> pieces;
    for (const auto& input : inputs) {
        pieces[input.path] += input.piece_at ? 1 : 0;
    }
    for (const auto& [path, count] : pieces) {
        if (count > 0 && !quiet) {
            base::say(
                fmt::format("{}: {} parts of it stand in another order than that of their time, in which they are read",
                            base::printable(path), count));
        }
    }
}

bool read_one(const source::Input& input, setup::Pipeline& pipeline, base::Progress& progress) {
    const auto before = pipeline.parsed();
    const auto failure =
        source::read_input(input, pipeline.parser(), [&](std::uint64_t bytes) { progress.advance(bytes); });
    if (failure) {
        progress.clear();
        say_failure(*failure);
        return false;
    }
    const auto& after = pipeline.parsed();
    if (after.records == before.records && after.lines > before.lines) {
        progress.clear();
        base::say(nothing_understood(input.path, after.lines - before.lines, pipeline.last_malformed()));
        return false;
    }
    return true;
}

} // namespace

std::int64_t ReadingOptions::since_ms() const {
    return since.empty() ? INT64_MIN : base::parse_time(since).value_or(INT64_MIN);
}
std::int64_t ReadingOptions::until_ms() const {
    return until.empty() ? INT64_MAX : base::parse_time(until).value_or(INT64_MAX);
}

void add_reading_options(CLI::App& app, ReadingOptions& options) {
    app.add_option("PATH", options.paths,
                   "Log files, directories of rotated logs, archives (gz, xz, zst, tar, zip); - is standard input")
        ->required();
    app.add_option("-o,--output", options.output, "Write to this file instead of standard output")->type_name("FILE");
    app.add_option("--since", options.since,
                   "Nothing before this time (2026-11-25T02:00:10Z; UTC unless it has an offset)")
        ->type_name("TIME")
        ->check(CLI::Validator(time_check(), ""));
    app.add_option("--until", options.until, "Nothing after this time")
        ->type_name("TIME")
        ->check(CLI::Validator(time_check(), ""));
    app.add_option("--node", options.node, "Only records of this node (node=NAME; \"\" for records without one)")
        ->type_name("NAME");
    app.add_option("--node-from", options.node_from,
                   "Whose a record without node= is: prefix (syslog's host), path, none, or auto")
        ->check(CLI::IsMember({"auto", "prefix", "path", "none"}))
        ->type_name("SOURCE")
        ->capture_default_str();
    app.add_option("--parser", options.parser, "native (fast) or auparse (libauparse, for comparison)")
        ->check(CLI::IsMember({"native", "auparse"}))
        ->type_name("PARSER")
        ->capture_default_str();
    app.add_option("--bad-lines", options.bad_lines, "Write the lines that are no audit records to this file")
        ->type_name("FILE");
    app.add_flag("--stats", options.stats, "Report on standard error what was read, assembled and judged");
    app.add_flag("-q,--quiet", options.quiet, "No progress and no closing line; errors are still reported");
}

void check(const ReadingOptions& options) {
    if (options.since_ms() > options.until_ms()) {
        throw base::Error(
            fmt::format("--since {} is later than --until {}; exchange them", options.since, options.until));
    }
}

OutputFiles::OutputFiles(const ReadingOptions& options)
    : file(options.output.empty() ? nullptr : base::open_for_writing(options.output).release()),
      bad_lines(options.bad_lines.empty() ? nullptr : base::open_for_writing(options.bad_lines).release()) {}

setup::PipelineOptions pipeline_options(const ReadingOptions& options, const OutputFiles& files) {
    setup::PipelineOptions made;
    made.parser = options.parser == "auparse" ? source::ParserKind::auparse : source::ParserKind::native;
    made.node = options.node;
    made.bad_lines = files.bad_lines.get();
    return made;
}

bool read_all(const ReadingOptions& options, setup::Pipeline& pipeline) {
    std::vector<source::InputFailure> failures;
    const auto inputs = source::collect_inputs(options.paths, failures);
    bool good = failures.empty();
    for (const auto& failure : failures) {
        say_failure(failure);
    }
    std::uint64_t total = 0;
    for (const auto& input : inputs) {
        total += input.size;
    }
    const bool guessed = options.node_from == "auto" && source::are_of_several_hosts(inputs);
    if (guessed && !options.quiet) {
        base::say(
            fmt::format("records without a node's name are taken for those of {}, by the paths; --node-from prefix "
                        "reads them as one host's",
                        hosts_of(inputs)));
    }
    tell_pieces(inputs, options.quiet);
    source::NodeNaming naming;
    naming.by_relay = options.node_from == "auto" || options.node_from == "prefix";
    base::Progress progress(!options.quiet && ::isatty(::fileno(stderr)) == 1, total);
    for (const auto& input : inputs) {
        naming.otherwise = guessed || options.node_from == "path" ? input.host : "";
        pipeline.parser().name_nodes(naming);
        good = read_one(input, pipeline, progress) && good;
    }
    pipeline.assembler().flush();
    if (const auto& error = pipeline.close_bad_lines()) {
        base::say(fmt::format("{}: {}; malformed lines are missing in it", options.bad_lines, *error));
        good = false;
    }
    return good;
}

void print_parsing_stats(const setup::Pipeline& pipeline, std::int64_t elapsed_ms) {
    const auto& parsed = pipeline.parsed();
    const auto& joined = pipeline.assembler().counters();
    const auto seconds = static_cast<double>(elapsed_ms) / 1000;
    fmt::print(stderr, "read       {} bytes, {} lines, {} records in {:.2f} s{}\n", parsed.bytes, parsed.lines,
               parsed.records, seconds,
               elapsed_ms > 0 ? fmt::format(" ({:.0f} MB/s)", static_cast<double>(parsed.bytes) / 1e6 / seconds)
                              : std::string());
    fmt::print(stderr, "malformed  {} lines", parsed.malformed_total());
    for (std::size_t i = 0; i < source::malformed_count; ++i) {
        if (parsed.malformed[i] > 0) {
            fmt::print(stderr, ", {} {}", source::to_string(static_cast<source::Malformed>(i)), parsed.malformed[i]);
        }
    }
    fmt::print(stderr,
               "\nevents     {} assembled; records: {} duplicate, {} late, {} trimmed; {} events closed early for want "
               "of room\n",
               joined.events, joined.duplicates, joined.late, joined.trimmed, joined.evicted);
}

std::optional<std::string> not_understood(const source::ParserCounters& parsed) {
    const auto bad = parsed.malformed_total();
    if (bad == 0) {
        return std::nullopt;
    }
    const auto* const most = std::max_element(parsed.malformed.begin(), parsed.malformed.end());
    const auto reason = static_cast<source::Malformed>(most - parsed.malformed.begin());
    const auto remedy = remedy_of(reason);
    return fmt::format("{} of {} lines {} not understood, {} of them: {}; {}", bad, parsed.lines,
                       bad == 1 ? "was" : "were", *most, source::to_string(reason),
                       remedy.empty() ? std::string_view("--bad-lines FILE keeps them") : remedy);
}

} // namespace luatrail::cli
