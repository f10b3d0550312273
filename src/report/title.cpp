#include "report/title.hpp"

#include <fmt/format.h>

#include "luatrail/base/kernel_path.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/detect/reason.hpp"
#include "report/chain_words.hpp"
#include "report/phrases.hpp"

namespace luatrail::report {
namespace {

using base::printable;
using detect::ChainEntry;
using detect::ChainKind;
using detect::Finding;
using detect::IdentifiedBy;
using detect::Origin;

// "lua5.4"; "lua (as updater)", "luatex (called texlua)", where the program's name does not say what it is.
std::string interpreter_name(const Finding& finding) {
    const auto& interpreter = finding.interpreter;
    const auto by = interpreter.identified_by;
    auto program = program_name(interpreter.exe);
    if (by == IdentifiedBy::path || by == IdentifiedBy::package || by == IdentifiedBy::library) {
        return program;
    }
    if (by == IdentifiedBy::argv0) {
        const auto& argv = finding.process.argv;
        const auto called = argv.empty() ? std::string() : printable(base::basename(argv.front()));
        return fmt::format("{} (called {})", program, called.empty() ? printable(interpreter.profile) : called);
    }
    return fmt::format("{} ({} {})", printable(interpreter.profile), by == IdentifiedBy::loader ? "through" : "as",
                       program);
}

std::string user_of(const detect::ProcessInfo& process) {
    if (process.user) {
        return printable(*process.user);
    }
    return process.uid ? fmt::format("uid {}", *process.uid) : std::string("an unknown user");
}

// The change that the title names: the latest that gave the file its content or its name.
const ChainEntry* told_drop(const Finding& finding, ChainKind kind) {
    const ChainEntry* told = nullptr;
    for (const auto& entry : finding.chain) {
        if (entry.kind == kind && (told == nullptr || entry.how != detect::How::chmod)) {
            told = &entry;
        }
    }
    return told;
}

// Whether the code is what a script's drop brought, so that it is named by it.
bool named_by_drop(const Finding& finding) {
    const auto origin = finding.code.origin;
    return origin == Origin::script || origin == Origin::embedded || origin == Origin::library;
}

std::string code_phrase(const Finding& finding) {
    const auto& code = finding.code;
    const auto argument = printable(code.argument.value_or(""));
    const auto* drop = named_by_drop(finding) ? told_drop(finding, ChainKind::script_drop) : nullptr;
    switch (code.origin) {
    case Origin::script:
        return drop != nullptr ? "on a script that " + drop_phrase(*drop)
                               : fmt::format("on {}", code.path ? printable(*code.path) : argument);
    case Origin::inline_code:
        return "on code from its command line";
    case Origin::stdin_code:
        return detect::from_stdin(finding) ? "on code from standard input"
                                           : "on standard input (a terminal, or something else)";
    case Origin::interactive:
        return "interactively";
    case Origin::module:
        return fmt::format("on module {}", argument);
    case Origin::environment:
        return "on code from its environment";
    case Origin::descriptor:
        return base::names_descriptor(code.argument.value_or("")) ? "on the descriptor " + argument
                                                                  : fmt::format("on {}, which no file holds", argument);
    case Origin::embedded:
        return drop != nullptr    ? "with a Lua script that " + drop_phrase(*drop)
               : code.path        ? fmt::format("with the Lua script {}", printable(*code.path))
               : code.inline_text ? "with Lua code from its command line"
               : code.argument    ? fmt::format("with Lua ({})", argument)
                                  : "with Lua inside";
    case Origin::library:
        return drop != nullptr ? "with a Lua library, and a Lua script that " + drop_phrase(*drop)
                               : "with a Lua library that it loaded";
    case Origin::unknown:
        break;
    }
    return "on unknown code";
}

} // namespace

std::string title_of(const Finding& finding) {
    auto title = fmt::format("{}{} run by {} {}", finding.is_test() ? "Test of luatrail doctor: " : "",
                             interpreter_name(finding), user_of(finding.process), code_phrase(finding));
    for (const auto& words : chain_words) {
        const auto* drop = row_of(words.kind).is == detect::ChainClass::drop ? told_drop(finding, words.kind) : nullptr;
        if (drop != nullptr && !(words.kind == ChainKind::script_drop && named_by_drop(finding))) {
            title += title_clause(*drop);
        }
    }
    for (const auto when : {detect::Stands::before_run, detect::Stands::after_run}) {
        for (const auto& entry : finding.chain) {
            const auto& row = row_of(entry.kind);
            if (row.is != detect::ChainClass::drop && row.stands == when) {
                title += title_clause(entry);
            }
        }
    }
    return title;
}

} // namespace luatrail::report
