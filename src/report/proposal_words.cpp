#include "luatrail/report/proposal_words.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"

namespace luatrail::report {

using detect::CronStart;
using detect::HostProgram;
using detect::Objection;
using detect::PackagedScript;
using detect::SeenRuns;
using detect::TooWide;
using detect::UnitStart;

namespace {

// A TOML basic string.
std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : base::to_utf8(text)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\u{:04X}", byte);
        } else {
            out += c;
        }
    }
    return out + "\"";
}

std::string wording(const inventory::Package& package) {
    return package.depends_on_lua.empty() ? fmt::format("package {} {}", package.name, package.version)
                                          : fmt::format("package {} {}, which needs {}", package.name, package.version,
                                                        fmt::join(package.depends_on_lua, ", "));
}

std::string chained(detect::ChainKind kind) {
    return fmt::format("{} chained with it", to_string(kind));
}

std::string_view wording(Objection objection) {
    switch (objection) {
    case Objection::no_file:
        return "no file holds its code, so no expectation can name it";
    case Objection::long_code:
        return "the code on its command line is too long for anybody to read in a baseline";
    case Objection::several:
        return "it runs several scripts, which no one pattern names";
    case Objection::not_utf8:
        return "it is not UTF-8, which a baseline's strings are";
    case Objection::nobody_known:
        break;
    }
    return "the log does not say who ran it, or with what";
}

// What a proposal says of itself, and the lines above it.
struct Grounds {
    std::string because;
    std::vector<std::string> lines;
};

Grounds grounds(const UnitStart& unit) {
    return {unit.package ? fmt::format("unit {} of package {}", unit.unit, unit.package->name)
                         : fmt::format("unit {}, which no package owns", unit.unit),
            {fmt::format("{} runs: {}", unit.path, unit.command),
             unit.package ? wording(*unit.package)
                          : std::string("made on this host: see whether it is meant to be there")}};
}

Grounds grounds(const CronStart& cron) {
    return {fmt::format("cron entry in {}", cron.path),
            {fmt::format("{} runs, as {}: {}", cron.path, cron.user, cron.command)}};
}

Grounds grounds(const PackagedScript& script) {
    Grounds made{fmt::format("package {} brings this script", script.package.name), {wording(script.package)}};
    if (script.altered) {
        made.lines.emplace_back("NOT AS PACKAGED when this was written: its runs are not expected until it is");
    }
    return made;
}

Grounds grounds(const HostProgram& host) {
    return {fmt::format("{} with the Lua that packages bring for it", host.program),
            {wording(host.package), "somebody starts it by hand, with these files and no others"}};
}

Grounds grounds(const SeenRuns& seen) {
    Grounds made{fmt::format("seen {} time{} on {} day{}", seen.runs, seen.runs == 1 ? "" : "s", seen.days,
                             seen.days == 1 ? "" : "s"),
                 {fmt::format("from {} to {}", base::iso_time(seen.first_ms), base::iso_time(seen.last_ms)),
                  seen.inline_code ? std::string("code on the command line: expected as it stands, and no other")
                  : seen.package   ? fmt::format("the script is of package {}", *seen.package)
                                   : std::string("no package is known to own the script")}};
    std::vector<std::string> followed;
    for (const auto kind : seen.followed) {
        followed.push_back(chained(kind));
    }
    std::sort(followed.begin(), followed.end());
    made.lines.insert(made.lines.end(), followed.begin(), followed.end());
    if (seen.unit) {
        made.lines.push_back(fmt::format("in unit {}", *seen.unit));
    }
    return made;
}

} // namespace

std::string to_toml(const std::vector<detect::Proposal>& proposals, const std::vector<std::string>& head) {
    std::string out;
    const auto comment = [&out](const std::string& line) { out += fmt::format("# {}\n", base::printable(line)); };
    std::for_each(head.begin(), head.end(), comment);
    out += "schema = 1\n";
    for (const auto& proposal : proposals) {
        const auto& rule = proposal.rule;
        const auto [because, lines] = std::visit([](const auto& one) { return grounds(one); }, proposal.basis);
        out += "\n";
        std::for_each(lines.begin(), lines.end(), comment);
        if (proposal.for_anybody()) {
            comment("NO USER IS NAMED, because nothing says who runs it: anybody may. Add user = \"NAME\".");
        }
        out += "[[expect]]\n";
        const auto key = [&out](std::string_view name, const std::string& value) {
            out += fmt::format("{:<14} = {}\n", name, toml_string(value));
        };
        key("id", rule.id);
        for (std::size_t at = 0; at < detect::rule_values.size(); ++at) {
            if (const auto& value = rule.*detect::rule_values[at]) {
                key(to_string(static_cast<detect::RuleKey>(at)), *value);
            }
        }
        if (!rule.modules.empty()) {
            std::vector<std::string> all;
            std::transform(rule.modules.begin(), rule.modules.end(), std::back_inserter(all), toml_string);
            out += fmt::format("{:<14} = [{}]\n", "modules", fmt::join(all, ", "));
        }
        if (rule.interactive) {
            out += fmt::format("{:<14} = true\n", "interactive");
        }
        key("because", because);
    }
    return out;
}

std::string words(const detect::LeftOut& left_out) {
    std::vector<std::string> against;
    for (const auto kind : left_out.chained) {
        against.push_back(chained(kind));
    }
    for (const auto objection : left_out.objections) {
        against.emplace_back(wording(objection));
    }
    std::sort(against.begin(), against.end());
    return fmt::format("{} by {}: {} ({} run{}): {}", left_out.exe, left_out.user, left_out.script, left_out.runs,
                       left_out.runs == 1 ? "" : "s", fmt::join(against, "; "));
}

std::string words(TooWide why, const detect::Rule& rule) {
    switch (why) {
    case TooWide::open_executable:
        return fmt::format("executable {} covers programs where anybody may write", rule.executable.value_or(""));
    case TooWide::open_script:
        return fmt::format("script {} covers files where anybody may write", rule.script.value_or(""));
    case TooWide::any_code:
        return "any code on the command line is expected";
    case TooWide::any_module:
        return "any module that the command line names is expected, also one in the working directory";
    case TooWide::any_input:
        return "any code that comes in by standard input is expected";
    case TooWide::any_code_of_user:
        return fmt::format("it names no script: any that {} runs is expected", rule.user.value_or(""));
    case TooWide::any_run:
        break;
    }
    return "it names neither a user nor a script: any script that this program runs is expected";
}

} // namespace luatrail::report
