#include "report/sentences.hpp"

#include <fmt/format.h>

#include "luatrail/base/kernel_path.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/detect/reason.hpp"
#include "luatrail/report/expectation_words.hpp"
#include "report/phrases.hpp"
#include "report/title.hpp"

namespace luatrail::report {
namespace {

using base::printable;
using detect::Finding;
using detect::ReasonKind;

std::string descriptor_text(const detect::Code& code) {
    if (code.argument && !base::names_descriptor(*code.argument)) {
        return fmt::format("the code is in no file: {} is made by the kernel or lies on a device",
                           printable(*code.argument));
    }
    return fmt::format("the code came through an open descriptor ({}): {}", printable(code.argument.value_or("")),
                       code.path ? printable(*code.path) + " is behind it" : "the log names no file behind it");
}

std::string session_text(const std::optional<detect::LoginInfo>& login) {
    const auto known = login.value_or(detect::LoginInfo{});
    return fmt::format("its session began with a login from {}{}", printable(known.address.value_or("")),
                       known.account ? " as " + printable(*known.account) : "");
}

std::string repetition_text(const std::optional<detect::Repetition>& repeated) {
    const auto known = repeated.value_or(detect::Repetition{});
    return fmt::format("seen {} times since {}, when finding {} was reported", known.times,
                       base::iso_time(known.since_ms), known.first_id);
}

std::string text_of(const Finding& finding, const detect::Reason& reason) {
    const auto& interpreter = finding.interpreter;
    const auto exe = [&interpreter] { return printable(interpreter.exe.value_or("")); };
    switch (reason.kind) {
    case ReasonKind::expectation:
        return words(finding.expectation);
    case ReasonKind::stdin_code:
        return "the code came through standard input: the log names no file behind it";
    case ReasonKind::descriptor:
        return descriptor_text(finding.code);
    case ReasonKind::content:
        return fmt::format("{} has {} inside, as a look at it showed", exe(),
                           printable(interpreter.copy_of.value_or("Lua")));
    case ReasonKind::library:
        return fmt::format("{} loaded the Lua library {}, and no package brought it as a program that does", exe(),
                           printable(interpreter.copy_of.value_or("")));
    case ReasonKind::copy:
        return fmt::format("{} was {} {}", exe(),
                           interpreter.copied_by_reader ? "written by a process, or one beside it, that had read"
                           : interpreter.copied_by_user
                               ? "written by a user whose processes had read, more often than could be kept,"
                               : "made by a program that was told of",
                           printable(interpreter.copy_of.value_or("")));
    case ReasonKind::inode:
        return fmt::format("{} is the same file as an interpreter of another name", exe());
    case ReasonKind::argv0:
        return fmt::format("it calls itself {}, which is no interpreter's name",
                           printable(interpreter.called.value_or("")));
    case ReasonKind::remote_session:
        return session_text(finding.process.login);
    case ReasonKind::chain:
        return reason_sentence(finding.chain.at(reason.link));
    case ReasonKind::repeated:
        break;
    }
    return repetition_text(finding.repeated);
}

} // namespace

Sentences sentences_of(const Finding& finding) {
    Sentences made{title_of(finding), words(finding.expectation), {}};
    for (const auto& reason : reasons_of(finding)) {
        made.reasons.push_back({std::string(id_of(finding, reason)), text_of(finding, reason)});
    }
    return made;
}

} // namespace luatrail::report
