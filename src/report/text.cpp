// What is known stands first; how to check it, last.
#include "luatrail/report/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "report/chain_words.hpp"
#include "report/page.hpp"
#include "report/phrases.hpp"
#include "report/sentences.hpp"
#include "report/words.hpp"

namespace luatrail::report {
namespace {

using base::printable;
using detect::Finding;

constexpr std::size_t shown_code_lines = 20;
constexpr std::size_t shown_bytes = 2000; // of any one text from the log
constexpr std::size_t shown_entries = 20; // of the chain, the process tree, the reasons
constexpr std::size_t shown_events = 5;   // of the look-up commands

std::string_view severity_colour(detect::Severity severity) {
    constexpr std::array<std::string_view, 5> sgr{"2", "36", "33", "1;31", "1;37;41"};
    return sgr.at(static_cast<std::size_t>(severity));
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

std::string number_or(const std::optional<std::uint32_t>& number, std::string_view otherwise) {
    return number ? fmt::to_string(*number) : std::string(otherwise);
}

// The first bytes, cut between characters.
std::string_view front(std::string_view bytes) {
    if (bytes.size() <= shown_bytes) {
        return bytes;
    }
    std::size_t end = 0;
    while (end < bytes.size() && end < shown_bytes) {
        end += base::utf8_step(bytes, end).length;
    }
    return bytes.substr(0, end);
}

std::string missing(std::size_t count, std::string_view what) {
    return count == 0 ? "" : fmt::format(" [... {} {} more]", count, what);
}

std::string safe(std::string_view bytes) {
    const auto shown = front(bytes);
    return printable(shown) + missing(bytes.size() - shown.size(), "bytes");
}

// Of a path, too: quotes show the blanks at its end.
std::string in_shell_quotes(std::string_view bytes) {
    const auto shown = front(bytes);
    return base::shell_quoted(shown) + missing(bytes.size() - shown.size(), "bytes");
}

std::string or_unknown(const std::optional<std::string>& path) {
    return path ? in_shell_quotes(*path) : "unknown";
}

std::string command_line(const std::vector<std::string>& argv) {
    std::string out;
    std::size_t shown = 0;
    while (shown < argv.size() && out.size() <= shown_bytes) {
        out += shown == 0 ? "" : " ";
        out += in_shell_quotes(argv[shown]);
        ++shown;
    }
    return argv.empty() ? "(no arguments in the log)" : out + missing(argv.size() - shown, "arguments");
}

void more(Page& page, std::size_t total, std::string_view what) {
    if (total > shown_entries) {
        page.item("  ", fmt::format("... {} more {}", total - shown_entries, what));
    }
}

void header(Page& page, const Finding& finding, const std::string& title) {
    const auto severity = upper(to_string(finding.severity));
    page.line(fmt::format("{}  {}{}", page.coloured(severity, severity_colour(finding.severity)),
                          base::iso_time(finding.time_ms), finding.node ? "  " + safe(*finding.node) : ""));
    page.paragraph(safe(title));
}

void what_ran(Page& page, const Finding& finding) {
    const auto& interpreter = finding.interpreter;
    const auto& code = finding.code;
    page.section("What ran");
    page.row("interpreter", or_unknown(interpreter.exe));
    page.row("", fmt::format("{}, {}{}", safe(interpreter.profile), words(interpreter.identified_by),
                             interpreter.package ? ", package " + safe(*interpreter.package) : ""));
    page.row("code", words(code.origin));
    if (code.argument) {
        page.row("as given", in_shell_quotes(*code.argument));
    }
    if (code.path) {
        page.row("path", in_shell_quotes(*code.path));
    }
    if (code.package) {
        page.row("package", safe(*code.package));
    }
    if (code.format != "unknown") {
        page.row("format", safe(code.format));
    }
}

void inline_code(Page& page, const std::optional<std::string>& code) {
    if (!code) {
        return;
    }
    std::string_view rest = *code;
    for (std::size_t shown = 0; shown < shown_code_lines; ++shown) {
        const auto end = rest.find('\n');
        page.line("  | " + safe(rest.substr(0, end)));
        if (end == std::string_view::npos) {
            return;
        }
        rest.remove_prefix(end + 1);
    }
    page.line(" " + missing(rest.size(), "bytes"));
}

void who_ran_it(Page& page, const Finding& finding) {
    const auto& process = finding.process;
    page.section("Who ran it");
    page.row("user", fmt::format("{} (uid {}, euid {}, login uid {})",
                                 process.user ? safe(*process.user) : "name unknown", number_or(process.uid, "unknown"),
                                 number_or(process.euid, "unknown"), number_or(process.auid, "none")));
    page.row("session", fmt::format("{}, {}", number_or(process.session, "none"),
                                    process.tty ? "terminal " + safe(*process.tty) : "no terminal"));
    page.row("directory", or_unknown(process.cwd));
    page.row("command", command_line(process.argv));
    page.row("process", fmt::format("{}, parent {}{}", process.pid, number_or(process.ppid, "unknown"),
                                    process.comm ? ", named " + in_shell_quotes(*process.comm) : ""));
    if (const auto& login = process.login; login && (login->address || login->terminal)) {
        page.row("login", fmt::format("{}{}{}", login->address ? "from " + safe(*login->address) : "local",
                                      login->account ? " as " + safe(*login->account) : "",
                                      login->terminal ? ", terminal " + safe(*login->terminal) : ""));
    }
    if (process.unit) {
        page.row("unit", safe(*process.unit));
    }
    if (process.container) {
        page.row("container", safe(*process.container));
    }
}

std::string when(const detect::ChainEntry& entry) {
    if (!entry.age_ms) {
        return "";
    }
    return fmt::format(" {} {} the run", base::duration_text(*entry.age_ms),
                       row_of(entry.kind).stands == detect::Stands::after_run ? "after" : "before");
}

// ", an editor"
std::string with_article(std::string_view kind) {
    const bool vowel = !kind.empty() && std::string_view("aeio").find(kind.front()) != std::string_view::npos;
    return fmt::format(", {} {}", vowel ? "an" : "a", kind);
}

void chain_entry(Page& page, const detect::ChainEntry& entry) {
    constexpr std::string_view below = "    ";
    page.item("  - ", fmt::format("{}{}{}", words_of(entry.kind).heading,
                                  entry.how ? fmt::format(" ({})", words_of(*entry.how).heading) : "", when(entry)));
    if (entry.path) {
        page.item(below, in_shell_quotes(*entry.path));
    }
    if (entry.by && !entry.by->argv.empty()) {
        page.item(below, command_line(entry.by->argv));
    }
    if (entry.by) {
        page.item(below, fmt::format("by {} (pid {}, uid {}){}", or_unknown(entry.by->exe), entry.by->pid,
                                     number_or(entry.by->uid, "unknown"),
                                     entry.by->kind ? with_article(safe(*entry.by->kind)) : ""));
        if (entry.by->below) {
            page.item(below, "below " + safe(way_in(*entry.by->below)));
        }
        if (entry.by->login && entry.by->login->address) {
            page.item(below, "logged in from " + safe(*entry.by->login->address));
        }
    }
    if (entry.depth) {
        page.item(below,
                  *entry.depth == 1 ? "a child of the run" : fmt::format("{} processes below the run", *entry.depth));
    }
    if (entry.same_tree) {
        page.item(below, *entry.same_tree ? "in the process tree of the run" : "in another process tree than the run");
    }
    page.item(below, fmt::format("event {}", audit::to_string(entry.event)));
}

void how_it_got_there(Page& page, const Finding& finding) {
    page.section("How it got there");
    if (finding.chain.empty()) {
        page.item("  ", "Nothing that counts as a drop was seen in the window before the run.");
    }
    for (std::size_t at = 0; at < std::min(finding.chain.size(), shown_entries); ++at) {
        chain_entry(page, finding.chain[at]);
    }
    more(page, finding.chain.size(), "links");
}

// The root first, each child two columns further in.
void process_tree(Page& page, const Finding& finding) {
    page.section("Process tree");
    const auto count = std::min(finding.ancestors.size(), shown_entries);
    std::size_t indent = 2;
    if (count < finding.ancestors.size()) {
        page.item("  ", fmt::format("... {} more ancestors", finding.ancestors.size() - count));
    }
    for (std::size_t at = count; at-- > 0; indent += 2) {
        const auto& ancestor = finding.ancestors[at];
        page.item(std::string(indent, ' ') + fmt::format("{} ", ancestor.pid),
                  fmt::format("{} (uid {}): {}", or_unknown(ancestor.exe), number_or(ancestor.uid, "unknown"),
                              command_line(ancestor.argv)));
    }
    page.item(std::string(indent, ' ') + fmt::format("{} ", finding.process.pid),
              page.coloured(or_unknown(finding.interpreter.exe), "1") + " <- this run");
}

void why_this_severity(Page& page, const Finding& finding, const Sentences& sentences) {
    const auto& reasons = sentences.reasons;
    const auto& expectation = finding.expectation;
    page.section(fmt::format("Why {}", to_string(finding.severity)));
    page.row(
        to_string(expectation.verdict),
        fmt::format("{}{}", expectation.rule ? "by rule " + safe(*expectation.rule) + ": " : "", safe(sentences.why)));
    for (std::size_t at = 0; at < std::min(reasons.size(), shown_entries); ++at) {
        const auto& reason = reasons[at];
        page.item("  - ", fmt::format("{} [{}]", safe(reason.text), safe(reason.id)));
    }
    more(page, reasons.size(), "reasons");
}

void blind_spots(Page& page, const Finding& finding) {
    if (finding.degraded.empty()) {
        return;
    }
    page.section("Blind spots");
    for (std::size_t at = 0; at < std::min(finding.degraded.size(), shown_entries); ++at) {
        page.item("  - ", words(finding.degraded[at]));
    }
    more(page, finding.degraded.size(), "of them");
}

// ausearch -a takes a serial, and serials start anew at boot: the time makes it one event. Its dates follow the locale
// (%x) and the zone, so both are pinned.
std::vector<std::string> ausearch(const audit::EventId& event) {
    const auto iso = base::iso_time(event.time_ms); // 2026-11-25T02:00:10.666Z
    const auto stamp =
        fmt::format("{}/{}/{} {}", iso.substr(5, 2), iso.substr(8, 2), iso.substr(2, 2), iso.substr(11, 8));
    return {"TZ=UTC LC_ALL=C", "ausearch -i", "-if FILE", fmt::format("-a {}", event.serial),
            "-ts " + stamp,    "-te " + stamp};
}

std::optional<std::string> dropped_interpreter(const Finding& finding) {
    for (const auto& entry : finding.chain) {
        if (entry.kind == detect::ChainKind::interpreter_drop) {
            return entry.path;
        }
    }
    return std::nullopt;
}

void look_further(Page& page, const Finding& finding) {
    if (finding.events.empty() && !finding.code.path) {
        return;
    }
    page.section("Look further");
    if (!finding.events.empty()) {
        page.item("  ", "FILE is the saved log; on the host itself, leave '-if FILE' out.");
    }
    for (std::size_t at = 0; at < std::min(finding.events.size(), shown_events); ++at) {
        page.command(ausearch(finding.events[at]));
    }
    if (finding.events.size() > shown_events) {
        page.item("  ", fmt::format("... {} more events", finding.events.size() - shown_events));
    }
    // A path that is cut would be another file's.
    for (const auto& path : {dropped_interpreter(finding), finding.code.path}) {
        if (path && path->size() <= shown_bytes) {
            page.command({"ls -li --", base::shell_quoted(*path)});
            page.command({"sha256sum --", base::shell_quoted(*path)});
        }
    }
}

} // namespace

std::string to_text(const Finding& finding, const TextStyle& style) {
    const auto sentences = sentences_of(finding);
    Page page(style);
    header(page, finding, sentences.title);
    what_ran(page, finding);
    inline_code(page, finding.code.inline_text);
    who_ran_it(page, finding);
    how_it_got_there(page, finding);
    process_tree(page, finding);
    why_this_severity(page, finding, sentences);
    blind_spots(page, finding);
    look_further(page, finding);
    page.line("");
    page.line(
        fmt::format("finding {}{}", safe(finding.id), finding.follows ? ", raises " + safe(*finding.follows) : ""));
    return page.take();
}

} // namespace luatrail::report
