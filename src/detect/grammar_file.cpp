#include "detect/grammar_file.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace luatrail::detect {
namespace {

constexpr std::array<std::pair<std::string_view, OptionRole>, 13> role_names{{
    {"flag", OptionRole::flag},
    {"inline", OptionRole::inline_code},
    {"module", OptionRole::module},
    {"interactive", OptionRole::interactive},
    {"version", OptionRole::version},
    {"exit", OptionRole::exit},
    {"script", OptionRole::script},
    {"value", OptionRole::value},
    {"compile", OptionRole::compile},
    {"lua-mode", OptionRole::lua_mode},
    {"sourced", OptionRole::sourced},
    {"commands", OptionRole::commands},
    {"data", OptionRole::data},
}};

OptionRole read_role(const base::TomlTable& row) {
    const std::string name = row.required_text("role");
    std::vector<std::string_view> valid;
    for (const auto& [known, role] : role_names) {
        if (known == name) {
            return role;
        }
        valid.push_back(known);
    }
    row.complain("role", fmt::format("unknown role `{}`; {}", name, base::suggestion(name, valid)));
    return OptionRole::flag;
}

void check_spelling(const base::TomlTable& row, std::string_view key, std::string_view spelling) {
    if (spelling.empty() || spelling == "-" || spelling == "--") {
        row.complain(key, "an option is a dash or a plus and a name (\"-e\", \"--luaonly\"), or a word");
    }
}

std::vector<std::string> texts(const base::TomlTable& row, std::string_view key) {
    return row.texts(key).value_or(std::vector<std::string>{});
}

OptionRule read_option(const base::TomlTable& row) {
    row.allow_only({"option", "role", "glued", "optional_value", "first", "last", "once", "in_lua_mode", "only_if",
                    "prefix", "separators", "ends_at", "becomes", "not_after"});
    const auto set = [&row](std::string_view key) { return row.boolean(key).value_or(false); };
    OptionRule rule;
    rule.spelling = row.required_text("option");
    check_spelling(row, "option", rule.spelling);
    rule.role = read_role(row);
    rule.glued = set("glued");
    rule.optional_value = set("optional_value");
    rule.first = set("first");
    rule.last = set("last");
    rule.once = set("once");
    rule.in_lua_mode = set("in_lua_mode");
    rule.only_if = texts(row, "only_if");
    rule.prefix = row.text("prefix").value_or("");
    rule.separators = row.text("separators").value_or("");
    rule.ends_at = row.text("ends_at").value_or("");
    rule.becomes = row.text("becomes").value_or("");
    rule.not_after = texts(row, "not_after");
    if (std::count(rule.becomes.begin(), rule.becomes.end(), '*') > 1) {
        row.complain("becomes", "one * stands for the value (\"jit.*\", \"*/main.lua\")");
    }
    return rule;
}

// "luaf[ile]": what may be left out stands in brackets.
CommandRule read_command(const base::TomlTable& row) {
    row.allow_only({"command", "role", "skip", "bars", "only_if"});
    CommandRule rule;
    const auto written = row.required_text("command");
    const auto open = std::min(written.find('['), written.size());
    rule.least = written.substr(0, open);
    rule.name = rule.least;
    if (open < written.size()) {
        rule.name += written.substr(open + 1, written.size() - open - 2);
    }
    if (rule.least.empty() || (open < written.size() && !written.ends_with(']'))) {
        row.complain("command", "a command is a name, of which the end may stand in brackets (\"luaf[ile]\")");
    }
    rule.role = read_role(row);
    rule.skip = static_cast<std::size_t>(std::clamp<std::int64_t>(row.integer("skip").value_or(0), 0, 9));
    rule.bars = row.boolean("bars").value_or(false);
    rule.only_if = texts(row, "only_if");
    return rule;
}

// Options that need no row of their own, because they only have to be told from those that bring code.
void add_plain(const base::TomlTable& table, std::string_view key, const OptionRule& like,
               std::vector<OptionRule>& rules) {
    for (auto& spelling : texts(table, key)) {
        check_spelling(table, key, spelling);
        auto rule = like;
        rule.glued = spelling.size() == 2;
        rule.spelling = std::move(spelling);
        rules.push_back(std::move(rule));
    }
}

std::vector<OptionRule> read_options(const base::TomlTable& table) {
    std::vector<OptionRule> rules;
    for (const auto& row : table.tables("options")) {
        rules.push_back(read_option(row));
    }
    const OptionRule value{.spelling = {}, .role = OptionRole::value};
    const OptionRule optional{.spelling = {}, .role = OptionRole::value, .optional_value = true};
    add_plain(table, "flags", {.spelling = {}, .role = OptionRole::flag}, rules);
    add_plain(table, "values", value, rules);
    add_plain(table, "optional_values", optional, rules);
    return rules;
}

// What is inherited, but for what the new rows are about, behind the new rows.
template <class Rule, class SameThing>
void add_rows(std::vector<Rule>& inherited, std::vector<Rule> own, SameThing same) {
    std::erase_if(inherited, [&](const Rule& old) {
        return std::any_of(own.begin(), own.end(), [&](const Rule& rule) { return same(rule, old); });
    });
    std::move(own.begin(), own.end(), std::back_inserter(inherited));
}

// `grammar` comes in with what it extends, or with the defaults.
void read_grammar(const base::TomlTable& table, Grammar& grammar) {
    table.allow_only({"extends",
                      "options",
                      "flags",
                      "values",
                      "optional_values",
                      "commands",
                      "inline_commands",
                      "dash_is_stdin",
                      "stops_at_script",
                      "bare_reads_stdin",
                      "requires_script_option",
                      "long_options",
                      "bundles",
                      "one_dash",
                      "abbreviates",
                      "ignores_unknown",
                      "words_end_options",
                      "script_suffixes",
                      "other_words",
                      "inline_words",
                      "searched"});
    const auto set = [&table](std::string_view key, bool& target) { target = table.boolean(key).value_or(target); };
    set("dash_is_stdin", grammar.dash_is_stdin);
    set("stops_at_script", grammar.stops_at_script);
    set("bare_reads_stdin", grammar.bare_reads_stdin);
    set("requires_script_option", grammar.requires_script_option);
    set("long_options", grammar.one_dash);
    set("long_options", grammar.abbreviates);
    set("bundles", grammar.bundles);
    set("one_dash", grammar.one_dash);
    set("abbreviates", grammar.abbreviates);
    set("ignores_unknown", grammar.ignores_unknown);
    set("words_end_options", grammar.words_end_options);
    const auto replace = [&table](std::string_view key, std::vector<std::string>& target) {
        target = table.texts(key).value_or(target);
    };
    replace("script_suffixes", grammar.script_suffixes);
    replace("other_words", grammar.other_words);
    replace("inline_words", grammar.inline_words);
    replace("inline_commands", grammar.inline_commands);
    replace("searched", grammar.searched);
    add_rows(grammar.options, read_options(table),
             [](const OptionRule& a, const OptionRule& b) { return a.spelling == b.spelling; });
    std::vector<CommandRule> commands;
    for (const auto& row : table.tables("commands")) {
        commands.push_back(read_command(row));
    }
    add_rows(grammar.commands, std::move(commands),
             [](const CommandRule& a, const CommandRule& b) { return a.name == b.name; });
}

} // namespace

void read_grammars(const base::TomlTable& all, Grammars& grammars) {
    // In rounds, because a table's members come in the order of their names: each round reads those whose base is
    // known.
    auto waiting = all.named_tables();
    const auto is_waiting = [&waiting](std::string_view name) {
        return std::any_of(waiting.begin(), waiting.end(), [name](const auto& entry) { return entry.first == name; });
    };
    while (!waiting.empty()) {
        const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const auto& entry) {
            const auto base = entry.second.text("extends");
            return !base || (!is_waiting(*base) && grammars.contains(*base));
        });
        if (ready == waiting.end()) {
            const auto& stuck = waiting.front().second;
            stuck.complain("extends", fmt::format("no grammar `{}`, or one that extends this one again",
                                                  stuck.text("extends").value_or("")));
            return;
        }
        Grammar grammar;
        if (const auto base = ready->second.text("extends")) {
            grammar = grammars.find(*base)->second;
        }
        read_grammar(ready->second, grammar);
        grammars.insert_or_assign(ready->first, std::move(grammar));
        waiting.erase(ready);
    }
}

} // namespace luatrail::detect
