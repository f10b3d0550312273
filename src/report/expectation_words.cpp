#include "luatrail/report/expectation_words.hpp"

#include <chrono>

#include <fmt/format.h>

namespace luatrail::report {

using detect::Expectation;
using detect::ExpectationReason;
using detect::KeyMiss;
using detect::RuleKey;
using detect::Unanswered;

namespace {

// What the run has, where the rule names something else.
std::string found(const KeyMiss& missed) {
    if (missed.key != RuleKey::user) {
        return missed.found.value_or("");
    }
    const auto user = missed.found ? *missed.found
                      : missed.uid ? fmt::format("uid {}", *missed.uid)
                                   : std::string("unknown");
    return missed.login ? fmt::format("{} ({})", user, *missed.login ? "a login session" : "a service") : user;
}

// A clause.
std::string unanswered(const KeyMiss& missed) {
    switch (*missed.unanswered) {
    case Unanswered::program:
        return "the log does not say which program it was";
    case Unanswered::user:
        return "the log does not say which user ran it";
    case Unanswered::login:
        return "the log does not say whether the run belongs to a login session";
    case Unanswered::user_name:
        return fmt::format("neither the log nor an inventory gives the name of uid {}", missed.uid.value_or(0));
    case Unanswered::script:
        return "the log names no script of this run";
    case Unanswered::owner:
        return fmt::format("no inventory says which package owns {}", missed.script.value_or(""));
    case Unanswered::code:
        return "this run has no code on its command line";
    case Unanswered::modules:
        return "this run names no module on its command line";
    case Unanswered::arguments:
        return "some of its command line is not known";
    case Unanswered::parent:
        return "the log does not say which program started it";
    case Unanswered::unit:
        break;
    }
    return "the log does not say which unit it belongs to";
}

// What a run has that an entry does not name: a clause.
std::string unnamed(const KeyMiss& missed) {
    switch (missed.key) {
    case RuleKey::script:
        return fmt::format("it also runs {}, and only {} is named", missed.found.value_or(""), missed.wanted);
    case RuleKey::modules:
        return fmt::format("it also loads {}, and no module is named", missed.found.value_or(""));
    case RuleKey::interactive:
        return "it also reads code from standard input, which is not named";
    default:
        break;
    }
    return missed.unanswered
               ? unanswered(missed)
               : fmt::format("it also has code on its command line, and none is named: {}", missed.found.value_or(""));
}

// The last day on which it still held.
std::string last_day(std::int64_t expires_ms) {
    const std::chrono::sys_time<std::chrono::milliseconds> expires{std::chrono::milliseconds(expires_ms)};
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(expires - std::chrono::days(1))};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

std::string words_of_missed(const Expectation& expectation, const KeyMiss& missed) {
    const auto key = to_string(missed.key);
    const auto nearest = expectation.nearest.value_or("");
    if (missed.unnamed) {
        return fmt::format("expectation {} does not cover this run: {}", nearest, unnamed(missed));
    }
    if (missed.key == RuleKey::interactive) {
        return fmt::format("expectation {} is of runs that read code from standard input, and this one does not",
                           nearest);
    }
    if (missed.unanswered) {
        return fmt::format("expectation {} names {} {}, but {}", nearest, key, missed.wanted, unanswered(missed));
    }
    if (expectation.named_elsewhere) {
        return fmt::format("the nearest expectation, {}, names {} {} and not {}", nearest, key, missed.wanted,
                           found(missed));
    }
    if (missed.key == RuleKey::executable) {
        return fmt::format("no expectation names executable {}", found(missed));
    }
    return fmt::format("no expectation names {} {} for {}", key, found(missed),
                       expectation.program.value_or("a program that the log does not name"));
}

} // namespace

std::string words(const Expectation& expectation) {
    if (expectation.missed) {
        return words_of_missed(expectation, *expectation.missed);
    }
    switch (expectation.reason) {
    case ExpectationReason::expected:
        return expectation.because
                   ? fmt::format("expectation {}: {}", expectation.rule.value_or(""), *expectation.because)
                   : fmt::format("expectation {} names it", expectation.rule.value_or(""));
    case ExpectationReason::empty_baseline:
        return "the baseline has no expectation";
    case ExpectationReason::expired:
        return fmt::format("expectation {} matched, but expired after {}", expectation.nearest.value_or(""),
                           last_day(expectation.expires_ms.value_or(0)));
    case ExpectationReason::altered_script:
    case ExpectationReason::altered_interpreter:
    case ExpectationReason::altered_module:
        return fmt::format("expectation {} matches, but {} is not as package {} brought it",
                           expectation.nearest.value_or(""), expectation.path.value_or(""),
                           expectation.package.value_or(""));
    case ExpectationReason::other_file:
        return fmt::format("expectation {} names {}, but another file lies there for this run",
                           expectation.nearest.value_or(""), expectation.path.value_or(""));
    case ExpectationReason::environment_code:
        return "its environment brings code that runs before its script";
    case ExpectationReason::no_baseline:
    case ExpectationReason::unexpected_executable: // these have a key that was missed
    case ExpectationReason::unexpected_user:
    case ExpectationReason::unexpected_script:
    case ExpectationReason::unexpected_script_package:
    case ExpectationReason::unexpected_code:
    case ExpectationReason::unexpected_parent:
    case ExpectationReason::unexpected_unit:
    case ExpectationReason::unexpected_modules:
    case ExpectationReason::not_interactive:
    case ExpectationReason::unexpected_also_code:
    case ExpectationReason::unexpected_also_script:
    case ExpectationReason::unexpected_also_module:
    case ExpectationReason::unexpected_interactive:
        break;
    }
    return "no baseline was given";
}

std::string words(const detect::Rule& rule, const detect::Comparison& comparison) {
    if (const auto& missed = comparison.missed) {
        if (missed->unnamed) {
            return fmt::format("does not cover this run: {}", unnamed(*missed));
        }
        if (missed->key == RuleKey::interactive) {
            return "is of runs that read code from standard input, and this one does not";
        }
        return fmt::format("names {} {}, {}", to_string(missed->key), missed->wanted,
                           missed->unanswered ? "but " + unanswered(*missed) : "and the run has " + found(*missed));
    }
    return comparison.expired ? fmt::format("matched, but expired after {}", last_day(rule.expires_ms.value_or(0)))
           : comparison.package_unchecked
               ? fmt::format("every key matches, but script_package {}: no inventory was given to ask",
                             rule.script_package.value_or(""))
               : "every key matches";
}

} // namespace luatrail::report
