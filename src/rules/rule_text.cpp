#include "luatrail/rules/rule_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include <libaudit.h>

#include "luatrail/base/text.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::rules {
namespace {

using Words = std::vector<std::string>;

// As auditctl splits: blanks part words, quotes of either kind keep them together.
Words words_of(std::string_view line) {
    Words words;
    std::string word;
    bool open = false;
    char quote = 0;
    for (const char c : line) {
        if (quote != 0) {
            quote = c == quote ? char{0} : quote;
            word += quote != 0 ? std::string(1, c) : "";
        } else if (c == '"' || c == '\'') {
            quote = c;
            open = true;
        } else if (c == ' ' || c == '\t') {
            if (open) {
                words.push_back(std::move(word));
                word.clear();
                open = false;
            }
        } else {
            word += c;
            open = true;
        }
    }
    if (open) {
        words.push_back(std::move(word));
    }
    return words;
}

struct LineError {
    std::string text;
};

std::optional<List> list_of(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, List>, 6> lists{{{"task", List::task},
                                                                      {"exit", List::exit},
                                                                      {"user", List::user},
                                                                      {"exclude", List::exclude},
                                                                      {"filesystem", List::filesystem},
                                                                      {"io_uring", List::io_uring}}};
    for (const auto& [known, list] : lists) {
        if (known == name) {
            return list;
        }
    }
    return std::nullopt;
}

// "always,exit" and "exit,always" are the same.
void read_list(const std::string& word, Rule& rule) {
    const auto parts = base::fields(word, ',');
    bool action = false;
    bool list = false;
    for (const auto& part : parts) {
        if (part == "always" || part == "never") {
            rule.action = part == "always" ? Action::always : Action::never;
            action = true;
        } else if (const auto known = list_of(part)) {
            rule.list = *known;
            list = true;
        }
    }
    if (parts.size() != 2 || !action || !list) {
        throw LineError{fmt::format("-a {}: an action (always, never) and a list (exit, task, user, exclude, "
                                    "filesystem, io_uring) are wanted, as in always,exit",
                                    word)};
    }
}

Comparison comparison_of(const std::string& word, std::string_view option) {
    const auto at = word.find_first_of("!<>=&");
    if (at == std::string::npos || at == 0) {
        throw LineError{fmt::format("{} {}: no comparison; write FIELD=VALUE", option, word)};
    }
    std::size_t size = 1;
    if (at + 1 < word.size() && word[at + 1] == '=') {
        size = 2;
    }
    Comparison one{word.substr(0, at), word.substr(at, size), word.substr(at + size)};
    if (one.op == "!" || one.op == "==") {
        throw LineError{fmt::format("{} {}: no operator \"{}\"", option, word, one.op)};
    }
    if (one.value.empty()) {
        throw LineError{fmt::format("{} {}: no value", option, word)};
    }
    return one;
}

class LineReader {
  public:
    LineReader(Words words, std::string_view machine, std::string origin)
        : words_(std::move(words)), machine_(machine), origin_(std::move(origin)) {}

    void read(RuleSet& into) {
        while (at_ < words_.size()) {
            option(words_[at_++], into);
        }
        if (watch_) {
            if (rule_.field("perm") == nullptr) {
                rule_.fields.push_back({"perm", "=", "rwxa"});
            }
        } else if (!has_list_) {
            if (is_rule_) {
                throw LineError{"a rule without -a or -A"};
            }
            return;
        }
        check_calls();
        rule_.origin = origin_;
        if (in_front_) {
            into.rules.insert(into.rules.begin(), std::move(rule_));
        } else {
            into.rules.push_back(std::move(rule_));
        }
    }

  private:
    std::string value(std::string_view of) {
        if (at_ == words_.size()) {
            throw LineError{fmt::format("{} without a value", of)};
        }
        return words_[at_++];
    }

    void option(const std::string& word, RuleSet& into) {
        if (word == "-a" || word == "-A") {
            read_list(value(word), rule_);
            has_list_ = true;
            in_front_ = word == "-A";
        } else if (word == "-S") {
            is_rule_ = true;
            const auto calls = value(word);
            for (const auto call : base::fields(calls, ',')) {
                all_calls_ = all_calls_ || call == "all";
                rule_.calls.emplace_back(call);
            }
        } else if (word == "-F" || word == "-C") {
            is_rule_ = true;
            add(comparison_of(value(word), word), word);
        } else if (word == "-k") {
            rule_.keys.push_back(value(word));
        } else if (word == "-w") {
            watch(value(word));
        } else if (word == "-p") {
            rule_.fields.push_back({"perm", "=", value(word)});
        } else if (word == "-D") {
            into.rules.clear();
            into.settings.push_back({'D', "", origin_});
        } else if (word == "-c" || word == "-i") {
            into.settings.push_back({word[1], "", origin_});
        } else if (word == "-b" || word == "-e" || word == "-f" || word == "-r") {
            into.settings.push_back({word[1], value(word), origin_});
        } else if (word == "--backlog_wait_time" || word == "-q" || word == "-d" || word == "-W" || word == "-t" ||
                   word == "--signal") {
            if (word != "-t") {
                value(word); // says nothing about what is reported
            }
        } else if (word != "--loginuid-immutable" && word != "--reset-lost" &&
                   word != "--reset_backlog_wait_time_actual") {
            throw LineError{fmt::format("{}: not an option that auditctl takes in a rules file", word)};
        }
    }

    void add(Comparison one, std::string_view option) {
        if (option == "-C") { // shown with a slash: compares two fields of the event
            one.field += "/";
        } else if (audit_name_to_field(one.field.c_str()) < 0) {
            throw LineError{fmt::format("-F {}: no such field", one.field)};
        } else if (one.field == "key") {
            rule_.keys.push_back(one.value);
            return;
        } else if (one.field == "arch" && one.value != "b64" && one.value != "b32" &&
                   audit::architecture_of(one.value) == nullptr) {
            throw LineError{fmt::format("-F arch={}: no such architecture", one.value)};
        } else if ((one.field == "dir" || one.field == "path" || one.field == "exe") && !one.value.starts_with("/")) {
            throw LineError{fmt::format("-F {}{}{}: not an absolute path", one.field, one.op, one.value)};
        }
        rule_.fields.push_back(std::move(one));
    }

    void watch(std::string path) {
        if (!path.starts_with("/")) {
            throw LineError{fmt::format("-w {}: not an absolute path", path)};
        }
        watch_ = true;
        while (path.size() > 1 && path.ends_with("/")) {
            path.pop_back();
        }
        // A directory's watch is a dir= rule. Which it is, only the host knows; dir= holds for the file itself, too.
        rule_.fields.push_back({"dir", "=", std::move(path)});
    }

    void check_calls() {
        if (all_calls_) {
            rule_.calls.clear();
            return;
        }
        if (rule_.list == List::io_uring) {
            return; // its operations have names of their own, which grow with each kernel
        }
        const auto* const arch = rule_.field("arch");
        for (const auto& call : rule_.calls) {
            if (!call_number(call, arch == nullptr ? "" : arch->value, machine_)) {
                throw LineError{fmt::format("-S {}: no such system call on {}{}", call, machine_,
                                            arch == nullptr ? "" : fmt::format(" under arch={}", arch->value))};
            }
        }
    }

    Words words_;
    std::string machine_, origin_;
    std::size_t at_ = 0;
    Rule rule_;
    bool has_list_ = false, is_rule_ = false, in_front_ = false, watch_ = false, all_calls_ = false;
};

} // namespace

void parse_rules(std::string_view text, std::string_view source_name, std::string_view arch, RuleSet& into) {
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front())) != 0) {
            line.remove_prefix(1);
        }
        while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
            line.remove_suffix(1);
        }
        if (line.empty() || line.front() == '#') {
            continue;
        }
        auto origin = fmt::format("{}:{}", source_name, number);
        try {
            LineReader(words_of(line), arch, origin).read(into);
        } catch (const LineError& error) {
            into.errors.push_back(fmt::format("{}: {}", origin, base::printable(error.text)));
        }
    }
}

RuleSet parse_rules(std::string_view text, std::string_view source_name, std::string_view arch) {
    RuleSet set;
    parse_rules(text, source_name, arch, set);
    return set;
}

} // namespace luatrail::rules
