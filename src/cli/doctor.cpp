// luatrail doctor: what this host's telemetry, or a rules file, can and cannot show.
#include <algorithm>

#include <dirent.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/check_table.hpp"
#include "cli/commands.hpp"
#include "cli/doctor_programs.hpp"
#include "cli/doctor_try.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/file.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/words.hpp"
#include "luatrail/rules/coverage.hpp"
#include "luatrail/rules/host_checks.hpp"
#include "luatrail/rules/loaded.hpp"
#include "luatrail/rules/rule_text.hpp"
#include "luatrail/rules/this_host.hpp"

namespace luatrail::cli {
namespace {

using Json = nlohmann::ordered_json;

struct DoctorOptions {
    std::vector<std::string> rules;
    std::string config = default_config_path, profile, auditd = "/etc/audit", format = "text";
    bool try_out = false;
    std::vector<std::string> logs; // of --try
    unsigned seconds = 30;
};

struct Row {
    rules::CoverageRow is;
    rules::Coverage wanted = rules::Coverage::seen; // what the profile that is asked for would show
    bool worse() const { return is.coverage > wanted; }
};

// A directory's *.rules in augenrules' order (ls -v).
std::vector<std::string> rule_files(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return {path};
    }
    struct List {
        dirent** entries = nullptr;
        int count = 0;
        List() = default;
        List(const List&) = delete;
        List& operator=(const List&) = delete;
        ~List() {
            for (int at = 0; at < count; ++at) {
                std::free(entries[at]); // NOLINT(cppcoreguidelines-no-malloc): scandir(3)
            }
            std::free(entries); // NOLINT(cppcoreguidelines-no-malloc)
        }
    } list;
    list.count = std::max(0, ::scandir(path.c_str(), &list.entries, nullptr, &::versionsort));
    std::vector<std::string> files;
    for (int at = 0; at < list.count; ++at) {
        if (const std::string name = list.entries[at]->d_name; name.ends_with(".rules")) {
            files.push_back(fmt::format("{}/{}", path, name));
        }
    }
    if (files.empty()) {
        throw base::Error(fmt::format("{}: no file here ends in .rules; name a rules file", path));
    }
    return files;
}

rules::RuleSet read_rules(const std::vector<std::string>& paths, const std::string& machine) {
    rules::RuleSet set;
    for (const auto& path : paths) {
        for (const auto& name : rule_files(path)) {
            constexpr std::size_t most_bytes = 16UL * 1024 * 1024;
            const auto text = base::read_file(name, most_bytes);
            if (!text) {
                throw base::Error(fmt::format("{}: cannot be read; name a rules file that you may read", name));
            }
            rules::parse_rules(*text, name, machine, set);
        }
    }
    return set;
}

std::string wanted_profile(const CLI::App& app, const DoctorOptions& options) {
    if (!options.profile.empty()) {
        return options.profile;
    }
    const bool given = app.count("--config") > 0;
    return given || ::access(options.config.c_str(), F_OK) == 0 ? setup::load_config(options.config).doctor.profile
                                                                : setup::Config{}.doctor.profile;
}

struct Report {
    std::string source, profile; // which rules, compared with which
    std::vector<Row> rows;
    std::vector<rules::Check> checks;
    std::vector<rules::LuaProgram> programs;
};

void print_text(const Report& report) {
    const auto& [source, profile, rows, checks, programs] = report;
    fmt::print("Rules: {}. Compared with luatrail's profile {}.\n\n", base::printable(source), profile);
    const CheckTable table;
    for (const auto& row : rows) {
        auto why = row.is.why;
        if (row.is.coverage != rules::Coverage::seen && !row.worse()) {
            why.push_back(fmt::format("(profile {} shows no more)", profile));
        }
        table.line(to_string(row.is.coverage), row.is.title, why, row.worse() ? row.is.remedy : "");
    }
    if (!checks.empty()) {
        fmt::print("\n");
    }
    for (const auto& check : checks) {
        table.line(check);
    }
    fmt::print("\nPrograms of this host that can run Lua, and what shows that they do:\n\n");
    for (const auto& program : programs) {
        table.line(program.content            ? "content"
                   : program.is_interpreter() ? "lua"
                                              : "inside",
                   program.path, {evidence_text(program)}, "");
    }
}

void print_json(const Report& report) {
    const auto& [source, profile, rows, checks, programs] = report;
    const auto text = [](std::string_view bytes) { return base::to_utf8(bytes); };
    Json out;
    out["schema"] = "luatrail/doctor/1";
    out["rules"] = text(source);
    out["profile"] = profile;
    out["coverage"] = Json::array();
    for (const auto& row : rows) {
        Json one;
        one["id"] = row.is.id;
        one["title"] = row.is.title;
        one["state"] = to_string(row.is.coverage);
        one["wanted"] = to_string(row.wanted);
        one["why"] = Json::array();
        for (const auto& why : row.is.why) {
            one["why"].push_back(text(why));
        }
        one["remedy"] = row.is.remedy.empty() ? Json(nullptr) : Json(row.is.remedy);
        out["coverage"].push_back(std::move(one));
    }
    out["checks"] = Json::array();
    for (const auto& check : checks) {
        out["checks"].push_back(check_value(check));
    }
    out["programs"] = Json::array();
    for (const auto& program : programs) {
        Json one;
        one["path"] = text(program.path);
        one["profile"] = program.profile == nullptr ? Json(nullptr) : Json(program.profile->name);
        one["embedded"] = !program.is_interpreter();
        one["shows"] = evidence_of(program);
        one["libraries"] = Json::array();
        for (const auto& name : program.needs) {
            one["libraries"].push_back(text(name));
        }
        out["programs"].push_back(std::move(one));
    }
    fmt::print("{}\n", out.dump());
}

int doctor(const CLI::App& app, const DoctorOptions& options) {
    if (options.try_out) {
        return try_out({.config = options.config,
                        .auditd = options.auditd,
                        .logs = options.logs,
                        .patience_ms = std::int64_t{options.seconds} * 1000,
                        .json = options.format == "json"});
    }
    Report report;
    auto& [source, profile, rows, checks, programs] = report;
    profile = wanted_profile(app, options);
    const auto profiles = detect::ProfileSet::builtin();
    auto found = find_programs(profiles, options.rules.empty());
    const auto host = rules::this_host(found);
    programs = std::move(found.programs);
    rules::RuleSet set;
    if (options.rules.empty()) {
        checks = rules::kernel_checks(rules::kernel_status());
        const auto auditd = rules::auditd_checks(options.auditd);
        checks.insert(checks.end(), auditd.begin(), auditd.end());
        set = rules::loaded_rules();
        source = fmt::format("the {} that the kernel has loaded", set.rules.size());
    } else {
        set = read_rules(options.rules, host.machine);
        checks = rules::setting_checks(set);
        source = fmt::format("{}", fmt::join(options.rules, ", "));
    }
    rules::RuleSet shipped;
    for (auto& topic : rules::host_rules(profile == "lean" ? rules::Profile::lean : rules::Profile::full, host)) {
        std::move(topic.rules.begin(), topic.rules.end(), std::back_inserter(shipped.rules));
    }
    const auto wanted = rules::coverage(shipped, host);
    for (auto& row : rules::coverage(set, host)) {
        rows.push_back({std::move(row), wanted[rows.size()].coverage});
    }
    (options.format == "json" ? print_json : print_text)(report);
    const bool written = std::fflush(stdout) == 0;
    for (const auto& error : set.errors) {
        base::say(error);
    }
    if (!set.errors.empty() || !written) {
        return base::exit_trouble;
    }
    const bool blind = std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.worse(); }) ||
                       std::any_of(checks.begin(), checks.end(),
                                   [](const rules::Check& check) { return check.health == rules::Health::fault; });
    return blind ? base::exit_finding : base::exit_clean;
}

} // namespace

Command add_doctor(CLI::App& app) {
    auto options = std::make_shared<DoctorOptions>();
    auto* const rules = app.add_option("--rules", options->rules,
                                       "Look at a rules file or a directory of them, not at the kernel (repeatable)")
                            ->type_name("FILE")
                            ->allow_extra_args(false);
    auto* const trying = app.add_flag("--try", options->try_out,
                                      "Drop and run a script that does nothing, and say where its finding arrives");
    trying->excludes(rules);
    app.add_option("--log", options->logs, "With --try: a file to which the syslog daemon writes findings (repeatable)")
        ->type_name("FILE")
        ->needs(trying)
        ->allow_extra_args(false);
    app.add_option("--seconds", options->seconds, "With --try: how long to wait for the finding")
        ->type_name("N")
        ->needs(trying)
        ->check(CLI::Range(1U, 3600U))
        ->capture_default_str();
    app.add_option("--profile", options->profile, "What should be seen: full or lean (default: the configuration's)")
        ->check(CLI::IsMember({"full", "lean"}))
        ->type_name("PROFILE");
    app.add_option("-c,--config", options->config, "The configuration, for doctor.profile")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_option("--auditd", options->auditd, "The directory of auditd's configuration")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--format", options->format, "text for a person, json for one JSON object")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    app.footer("Asks the kernel for its rules and state, which needs root, and changes nothing; --try makes a\n"
               "finding, which is marked as a test.\n"
               "Exit status: 0 all is seen that the profile shows, 1 some is not or records are kept away, 2 it could\n"
               "not ask or a rules file has errors. With --try: 0 the finding arrived, 1 a link is broken, 2 it could\n"
               "not be tried.");
    return [&app, options] { return doctor(app, *options); };
}

} // namespace luatrail::cli
