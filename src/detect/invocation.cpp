#include "luatrail/detect/invocation.hpp"

#include <algorithm>
#include <vector>

#include "luatrail/base/glob.hpp"
#include "luatrail/base/text.hpp"

namespace luatrail::detect {
namespace {

bool takes_value(const OptionRule& rule) {
    switch (rule.role) {
    case OptionRole::inline_code:
    case OptionRole::module:
    case OptionRole::script:
    case OptionRole::value:
        return true;
    case OptionRole::flag:
    case OptionRole::interactive:
    case OptionRole::version:
    case OptionRole::exit:
    case OptionRole::compile:
    case OptionRole::lua_mode:
        break;
    }
    return rule.selects();
}

// The part of a value that a row is about: without its prefix, of a list the first part that fits. Nothing: the row is
// about other values.
std::optional<std::string_view> selected(const OptionRule& rule, std::string_view value) {
    if (!value.starts_with(rule.prefix)) {
        return std::nullopt;
    }
    value.remove_prefix(rule.prefix.size());
    if (rule.only_if.empty()) {
        return value;
    }
    while (true) {
        const auto end = std::min(value.find_first_of(rule.separators), value.size());
        const auto part = value.substr(0, end);
        if (std::any_of(rule.only_if.begin(), rule.only_if.end(),
                        [part](const std::string& glob) { return base::glob_match(glob, part); })) {
            return part;
        }
        if (end == value.size()) {
            return std::nullopt;
        }
        value.remove_prefix(end + 1);
    }
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&lower](char x, char y) { return lower(x) == lower(y); });
}

// A word of the command line as an option: its rule, and the value that stands in the same word.
struct Option {
    const OptionRule* rule = nullptr; // null: the program does not know it
    std::optional<std::string_view> value;
};

// Some programs take "+command" as an option, or have a word for one ("EVAL").
bool is_option(const Grammar& grammar, std::string_view word, bool is_first) {
    if (word.size() > 1 && word.front() == '-') {
        return true;
    }
    return std::any_of(grammar.options.begin(), grammar.options.end(), [&](const OptionRule& rule) {
        const std::string_view known = rule.spelling;
        return known.front() != '-' && (!rule.first || is_first) &&
               (rule.glued ? word.starts_with(known) : equals_ignoring_case(word, known));
    });
}

// -e, -eCODE, --name, --name=VALUE; the longest spelling that fits decides.
Option find_short(const Grammar& grammar, std::string_view word, bool is_first) {
    Option best;
    for (const auto& rule : grammar.options) {
        const std::string_view spelling = rule.spelling;
        if (spelling.front() != '-' && !rule.glued) { // a word
            if (equals_ignoring_case(word, spelling) && (!rule.first || is_first)) {
                return {&rule, std::nullopt};
            }
            continue;
        }
        if (!word.starts_with(spelling) || (rule.first && !is_first) ||
            (best.rule != nullptr && best.rule->spelling.size() >= spelling.size())) {
            continue;
        }
        const auto rest = word.substr(spelling.size());
        if (rest.empty()) {
            best = {&rule, std::nullopt};
        } else if (spelling.starts_with("--") && takes_value(rule) && rest.front() == '=') {
            best = {&rule, rest.substr(1)};
        } else if (rule.glued) {
            best = {&rule, rest};
        }
    }
    return best;
}

// getopt_long_only(3): one dash is as good as two, a beginning that only one option has is enough.
Option find_long(const Grammar& grammar, std::string_view word, bool is_first) {
    Option found;
    std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
        found.value = name.substr(equals + 1);
        name = name.substr(0, equals);
    }
    bool ambiguous = false;
    for (const auto& rule : grammar.options) {
        const std::string_view known = std::string_view(rule.spelling).substr(rule.spelling.starts_with("--") ? 2 : 1);
        if (rule.first) { // compared by the program itself, before getopt
            if (is_first && word == rule.spelling) {
                return {&rule, std::nullopt};
            }
            continue;
        }
        if (known == name) {
            found.rule = &rule;
            ambiguous = false;
            break;
        }
        if (!name.empty() && known.starts_with(name)) {
            ambiguous = found.rule != nullptr;
            found.rule = &rule;
        }
    }
    if (ambiguous || (found.rule != nullptr && found.value && !takes_value(*found.rule))) {
        found.rule = nullptr;
    }
    return found;
}

// "/dev/fd/3", "/dev/stdin", "/proc/self/fd/0", "/proc/12/task/13/fd/3", however many slashes and dots are in it.
bool names_descriptor(std::string_view path) {
    if (path.empty() || path.front() != '/') {
        return false;
    }
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const auto part = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(part.size() + 1, path.size()));
        if (part == "..") {
            if (!parts.empty()) {
                parts.pop_back();
            }
        } else if (!part.empty() && part != ".") {
            parts.push_back(part);
        }
    }
    if (parts.size() == 2) {
        return parts[0] == "dev" && parts[1] == "stdin";
    }
    if (parts.size() == 3) {
        return parts[0] == "dev" && parts[1] == "fd";
    }
    const bool of_process = parts.size() == 4 || (parts.size() == 6 && parts[2] == "task");
    return of_process && parts[0] == "proc" && parts[parts.size() - 2] == "fd";
}

class Reader {
  public:
    Reader(const Grammar& grammar, const Arguments& arguments) : grammar_(grammar), arguments_(arguments) {
        lost_.resize(arguments.argv.size());
        for (const auto index : arguments.missing) {
            if (index < lost_.size()) {
                lost_[index] = true;
            } else {
                cut_ = true;
            }
        }
        cut_ = cut_ || arguments.truncated;
    }

    Invocation read() {
        while (at_ < arguments_.argv.size() && !stopped_) {
            read_word();
        }
        if (cut_ && at_ >= arguments_.argv.size()) {
            result_.uncertain = true; // what was cut off could have been the script, or the rest of it
        }
        if (!ends_without_code_) {
            conclude();
        }
        return std::move(result_);
    }

  private:
    void read_word() {
        const std::size_t index = at_++;
        const std::string_view word = arguments_.argv[index];
        if (lost_[index]) {
            result_.uncertain =
                true; // an option, most likely: a lost script would have been followed by its own arguments only
        } else if (!options_over_ && word == "--") {
            options_over_ = true;
        } else if (!options_over_ && is_option(grammar_, word, index == 1)) {
            read_option(index);
        } else if (!options_over_ && word == "-" && grammar_.dash_is_stdin) {
            dash_ = true;
            stopped_ = grammar_.stops_at_script;
        } else if (!word_ && is_inline_word(word)) {
            use({.spelling = {}, .role = OptionRole::inline_code}, word, index);
        } else if (!grammar_.requires_script_option) {
            word_ = word_ ? word_ : index;
            stopped_ = grammar_.stops_at_script;
        }
    }

    bool is_inline_word(std::string_view word) const {
        return std::any_of(grammar_.inline_words.begin(), grammar_.inline_words.end(),
                           [word](const std::string& glob) { return base::glob_match(glob, word); });
    }

    void read_option(std::size_t index) {
        const std::string_view word = arguments_.argv[index];
        const bool is_first = index == 1;
        auto option =
            grammar_.long_options ? find_long(grammar_, word, is_first) : find_short(grammar_, word, is_first);
        if (option.rule == nullptr) {
            if (!grammar_.ignores_unknown) {
                end_without_code();
            }
            return;
        }
        std::size_t value_index = index;
        if (takes_value(*option.rule) && !option.value && !option.rule->optional_value) {
            if (at_ >= arguments_.argv.size()) {
                missing_value(*option.rule);
                return;
            }
            value_index = at_++;
            option.value = arguments_.argv[value_index];
            result_.uncertain = result_.uncertain || lost_[value_index];
        }
        if (!option.rule->selects()) {
            use(*option.rule, option.value.value_or(""), value_index);
            return;
        }
        for (const auto& rule : grammar_.options) { // of its spelling the first row that is about this value
            if (rule.spelling == option.rule->spelling) {
                if (const auto part = selected(rule, option.value.value_or(""))) {
                    use(rule, *part, value_index);
                    return;
                }
            }
        }
    }

    void use(const OptionRule& rule, std::string_view value, std::size_t value_index) {
        apply(rule, value, value_index);
        options_over_ = options_over_ || rule.last;
        stopped_ = stopped_ || rule.last;
    }

    // The program prints its usage, unless it passes over what it does not understand. With arguments cut off, the
    // value was there.
    void missing_value(const OptionRule& rule) {
        if (cut_) {
            if (rule.role == OptionRole::inline_code) {
                apply(rule, "", at_);
            }
        } else if (!grammar_.ignores_unknown) {
            end_without_code();
        }
    }

    void apply(const OptionRule& rule, std::string_view value, std::size_t value_index) {
        switch (rule.role) {
        case OptionRole::inline_code:
            if (result_.inline_text) {
                result_.inline_text->append("\n").append(value);
            } else {
                result_.inline_text = value;
            }
            break;
        case OptionRole::module:
            result_.modules.emplace_back(value);
            break;
        case OptionRole::script:
            if (value == "-" && grammar_.dash_is_stdin) {
                dash_ = true;
            } else if (!option_script_ || !rule.selects()) { // of several files the first: all of them run
                option_script_ = Script{value_index, std::string(value)};
            }
            break;
        case OptionRole::interactive:
            interactive_ = true;
            break;
        case OptionRole::version:
            version_ = true;
            break;
        case OptionRole::lua_mode:
            lua_mode_ = true;
            break;
        case OptionRole::exit:
        case OptionRole::compile:
            end_without_code();
            break;
        case OptionRole::flag:
        case OptionRole::value:
            break;
        }
    }

    void end_without_code() {
        const bool uncertain = result_.uncertain;
        result_ = {};
        result_.uncertain = uncertain;
        ends_without_code_ = true;
        stopped_ = true;
    }

    bool word_is_script() const {
        const auto& suffixes = grammar_.script_suffixes;
        return word_ && (lua_mode_ || suffixes.empty() ||
                         std::any_of(suffixes.begin(), suffixes.end(), [this](const std::string& suffix) {
                             return arguments_.argv[*word_].ends_with(suffix);
                         }));
    }

    void conclude() {
        const bool plain_word = word_is_script() && (lua_mode_ || !option_script_);
        if (plain_word) {
            result_.script_index = word_;
            result_.script = arguments_.argv[*word_];
        } else if (option_script_) {
            result_.script_index = option_script_->index;
            result_.script = option_script_->path;
        }
        const bool code = result_.script || dash_ || result_.inline_text;
        const bool interprets = !grammar_.requires_script_option && (grammar_.script_suffixes.empty() || lua_mode_);
        const bool nothing = !code && !word_ && interprets;
        const bool lost = nothing && result_.uncertain; // its code was in what was lost, or on standard input
        const bool bare = nothing && !lost && !version_ && grammar_.bare_reads_stdin;
        result_.reads_stdin = dash_ || interactive_ || bare;
        result_.origin = origin(bare);
        result_.runs_code = result_.origin != Origin::unknown || lost;
    }

    Origin origin(bool bare) const {
        if (result_.script) {
            return names_descriptor(*result_.script) ? Origin::descriptor : Origin::script;
        }
        if (dash_) {
            return Origin::stdin_code;
        }
        if (result_.inline_text) {
            return Origin::inline_code;
        }
        if (!result_.modules.empty()) {
            return Origin::module;
        }
        if (interactive_ || (bare && arguments_.terminal)) {
            return Origin::interactive;
        }
        return bare ? Origin::stdin_code : Origin::unknown;
    }

    struct Script {
        std::size_t index = 0;
        std::string path;
    };

    const Grammar& grammar_;
    const Arguments& arguments_;
    std::vector<bool> lost_;
    bool cut_ = false;
    std::size_t at_ = 1; // argv[0] is the program's name
    bool options_over_ = false, stopped_ = false, ends_without_code_ = false;
    bool dash_ = false, interactive_ = false, version_ = false, lua_mode_ = false;
    std::optional<std::size_t> word_; // the first word that is no option
    std::optional<Script> option_script_;
    Invocation result_;
};

} // namespace

Invocation parse_invocation(const Profile& profile, const Arguments& arguments) {
    return Reader(profile.grammar, arguments).read();
}

} // namespace luatrail::detect
