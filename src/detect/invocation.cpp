#include "luatrail/detect/invocation.hpp"

#include <algorithm>
#include <vector>

#include "detect/commands.hpp"
#include "detect/options.hpp"
#include "luatrail/base/glob.hpp"
#include "luatrail/base/kernel_path.hpp"

namespace luatrail::detect {
namespace {

constexpr std::size_t most_scripts = 64, most_parts = 1024, most_letters = 256;

// A pattern with the name in place of its "?", as package.path has it.
std::string filled_in(std::string_view pattern, std::string_view name) {
    std::string glob;
    for (const char c : pattern) {
        if (c != '?') {
            glob += c;
            continue;
        }
        for (const char byte : name) {
            if (std::string_view("*?[\\").find(byte) != std::string_view::npos) {
                glob += '\\';
            }
            glob += byte;
        }
    }
    return glob;
}

class Reader {
  public:
    Reader(const Grammar& grammar, const Arguments& arguments) : grammar_(grammar), arguments_(arguments) {
        lost_.resize(arguments.argv.size());
        partial_.resize(arguments.argv.size());
        mark(arguments.missing, lost_);
        mark(arguments.headless, lost_);
        mark(arguments.cut, partial_);
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
    void mark(std::span<const std::size_t> indices, std::vector<bool>& marks) {
        for (const auto index : indices) {
            if (index < arguments_.offset) {
                continue;
            }
            if (index - arguments_.offset < marks.size()) {
                marks[index - arguments_.offset] = true;
            } else {
                cut_ = true;
            }
        }
    }

    void read_word() {
        const std::size_t index = at_++;
        const std::string_view word = arguments_.argv[index];
        if (lost_[index]) {
            result_.uncertain =
                true; // an option, most likely: a lost script would have been followed by its own arguments only
        } else if (!options_over_ && word == "--") {
            options_over_ = true;
        } else if (!options_over_ && is_option(grammar_, word)) {
            read_option(index);
        } else if (!options_over_ && word == "-" && grammar_.dash_is_stdin && !grammar_.requires_script_option) {
            dash_ = true;
            stopped_ = grammar_.stops_at_script;
        } else {
            read_plain_word(index);
        }
    }

    void read_plain_word(std::size_t index) {
        const std::string_view word = arguments_.argv[index];
        const bool is_first = !first_word_;
        first_word_ = first_word_ ? first_word_ : index;
        const auto named = is_first ? find_words(grammar_, arguments_.argv.subspan(index)) : WordOption{};
        if (named.rule != nullptr) {
            at_ = index + named.words;
            take({.rule = named.rule}, at_ - 1);
        } else if (is_first && fits_any(grammar_.inline_words, word)) {
            use({.spelling = {}, .role = OptionRole::inline_code}, word, index);
        } else if (!grammar_.requires_script_option) {
            word_ = word_ ? word_ : index;
            stopped_ = grammar_.stops_at_script;
        }
        stopped_ = stopped_ || grammar_.words_end_options;
    }

    void read_option(std::size_t index) {
        const std::string_view word = arguments_.argv[index];
        if (grammar_.one_dash || !grammar_.bundles || word.starts_with("--") || word.front() != '-') {
            const auto option = find_option(grammar_, word, index == 1);
            if (option.rule != nullptr) {
                take(option, index);
                return;
            }
            if (!grammar_.bundles || word.starts_with("--") || word.front() != '-') {
                end_if_unknown();
                return;
            }
        }
        if (const auto whole = find_whole(grammar_, word); whole.rule != nullptr) {
            take(whole, index);
            return;
        }
        for (std::size_t at = 1; at < std::min(word.size(), most_letters) && !ends_without_code_; ++at) {
            const auto option = find_letter(grammar_, word, at);
            if (option.rule == nullptr) {
                end_if_unknown();
                continue;
            }
            take(option, index);
            if (takes_value(*option.rule) && !is_flag_here(*option.rule)) {
                return; // the rest of the word, or the next one
            }
        }
    }

    void end_if_unknown() {
        if (!grammar_.ignores_unknown) {
            end_without_code();
        }
    }

    bool is_flag_here(const OptionRule& rule) const {
        return std::any_of(rule.not_after.begin(), rule.not_after.end(), [this](const std::string& other) {
            return std::find(seen_.begin(), seen_.end(), other) != seen_.end();
        });
    }

    // `index`: of the word where the option ends.
    void take(Option option, std::size_t index) {
        const auto& rule = *option.rule;
        if (is_flag_here(rule)) {
            return;
        }
        if (rule.spelling.size() == 2 && std::find(seen_.begin(), seen_.end(), rule.spelling) == seen_.end()) {
            seen_.push_back(rule.spelling);
        }
        if (takes_value(rule) && !option.value && !rule.optional_value) {
            if (at_ >= arguments_.argv.size()) {
                missing_value(rule);
                return;
            }
            index = at_++;
            option.value = arguments_.argv[index];
        }
        result_.uncertain = result_.uncertain || lost_[index] || partial_[index];
        use_value(rule, option.value.value_or(""), index);
    }

    // Of the rows of its spelling the first that is about this value, or about this part of the list.
    void use_value(const OptionRule& found, std::string_view value, std::size_t index) {
        for (std::size_t parts = 0; parts < most_parts; ++parts) {
            const auto end = std::min(value.find_first_of(found.separators), value.size());
            for (const auto& rule : grammar_.options) {
                const auto part = rule.spelling == found.spelling ? selected(rule, value.substr(0, end)) : std::nullopt;
                if (part) {
                    use(rule, *part, index);
                    break;
                }
            }
            if (end == value.size()) {
                return;
            }
            value.remove_prefix(end + 1);
        }
        result_.uncertain = true;
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
        } else {
            end_if_unknown();
        }
    }

    void apply(const OptionRule& rule, std::string_view value, std::size_t value_index) {
        switch (rule.role) {
        case OptionRole::inline_code:
            add_code(value);
            break;
        case OptionRole::module:
            result_.modules.push_back(meant(rule, value));
            break;
        case OptionRole::script:
            if (value == "-" && grammar_.dash_is_stdin) {
                dash_ = true;
            } else {
                add_script(rule, value, value_index);
            }
            break;
        case OptionRole::sourced:
            add_sourced(meant(rule, value));
            break;
        case OptionRole::commands:
            run_commands(value, value_index);
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
            if (!rule.becomes.empty()) {
                result_.modules.push_back(meant(rule, value));
            }
            break;
        case OptionRole::flag:
        case OptionRole::value:
            break;
        case OptionRole::data:
            if (result_.data.size() < most_scripts) {
                result_.data.emplace_back(value);
            }
            break;
        }
    }

    void add_code(std::string_view code) {
        if (result_.inline_text) {
            result_.inline_text->append("\n").append(code);
        } else {
            result_.inline_text = code;
        }
    }

    void add_script(const OptionRule& rule, std::string_view value, std::size_t index) {
        if (rule.once) {
            std::erase_if(scripts_, [&rule](const Script& one) { return one.option == rule.spelling; });
        }
        if (scripts_.size() == most_scripts) {
            result_.uncertain = true;
        } else if (lost_[index] || partial_[index]) {
            lost_script_ = true;
        } else {
            scripts_.push_back({index, meant(rule, value), rule.spelling, rule.in_lua_mode});
        }
    }

    void add_sourced(std::string file) {
        if (result_.sourced.size() < most_scripts) {
            result_.sourced.push_back(std::move(file));
        }
    }

    void run_commands(std::string_view line, std::size_t index) {
        const auto commands = read_commands(grammar_.commands, line);
        bool code = commands.found.empty() && fits_any(grammar_.inline_commands, line);
        if (!commands.whole) { // all of it is told as code
            code = result_.uncertain = true;
        }
        for (const auto& text : commands.unknown) {
            if (result_.other_commands.size() < most_scripts) {
                result_.other_commands.emplace_back(text);
            }
        }
        for (const auto& command : commands.found) {
            code = code || command.role == OptionRole::inline_code;
            if (command.role == OptionRole::script) {
                add_script({.spelling = {}, .role = OptionRole::script}, command.argument, index);
            } else if (command.role == OptionRole::sourced) {
                add_sourced(std::string(command.argument));
            }
        }
        if (code) {
            add_code(line);
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
        if (!word_) {
            return false;
        }
        const std::string_view word = arguments_.argv[*word_];
        const auto& suffixes = grammar_.script_suffixes;
        return lua_mode_ ||
               (!fits_any(grammar_.other_words, word) &&
                (suffixes.empty() || std::any_of(suffixes.begin(), suffixes.end(), [word](const std::string& suffix) {
                     return word.ends_with(suffix);
                 })));
    }

    // A command may name the file that is edited, or one by a variable that no record holds.
    void name_file(std::string& path) {
        if (path == "%" && first_word_) {
            path = arguments_.argv[*first_word_];
        } else if (!path.empty() && std::string_view("%#~$`").find(path.front()) != std::string_view::npos) {
            result_.uncertain = true;
            if (const auto slash = path.find('/'); slash != std::string::npos) {
                result_.script_elsewhere.push_back(filled_in("**/?", path.substr(slash + 1)));
            }
        }
    }

    void choose_scripts() {
        std::erase_if(scripts_,
                      [this](const Script& one) { return one.in_lua_mode && !lua_mode_ && scripts_.size() == 1; });
        if (word_is_script() && (lua_mode_ || scripts_.empty())) {
            lost_script_ = partial_[*word_];
            scripts_.clear();
            if (!lost_script_) {
                scripts_.push_back({*word_, arguments_.argv[*word_], {}, false});
            }
        }
        result_.uncertain = result_.uncertain || lost_script_;
        for (auto& script : scripts_) {
            if (!grammar_.commands.empty()) {
                name_file(script.path);
            }
            if (!result_.script) {
                result_.script_index = script.index;
                result_.script = std::move(script.path);
            } else {
                result_.more_scripts.push_back(std::move(script.path));
            }
        }
        for (auto& file : result_.sourced) {
            name_file(file);
        }
        if (result_.script && !result_.script->starts_with('/')) {
            for (const auto& pattern : grammar_.searched) {
                result_.script_elsewhere.push_back(filled_in(pattern, *result_.script));
            }
        }
    }

    void conclude() {
        choose_scripts();
        const bool code = result_.script || dash_ || result_.inline_text;
        const bool interprets = !grammar_.requires_script_option && (grammar_.script_suffixes.empty() || lua_mode_);
        const bool nothing = !code && !word_ && interprets;
        const bool lost = (nothing && result_.uncertain) || lost_script_; // its code may also be on standard input
        const bool bare = nothing && !lost && !version_ && grammar_.bare_reads_stdin;
        result_.reads_stdin = dash_ || interactive_ || bare;
        result_.origin = origin(bare);
        result_.runs_code = result_.origin != Origin::unknown || lost;
    }

    Origin origin(bool bare) const {
        if (result_.script) {
            const bool no_file = base::names_descriptor(*result_.script) || base::is_made_by_kernel(*result_.script);
            return no_file ? Origin::descriptor : Origin::script;
        }
        if (dash_) {
            return Origin::stdin_code;
        }
        if (lost_script_) {
            return Origin::unknown;
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
        std::string option;
        bool in_lua_mode = false;
    };

    const Grammar& grammar_;
    const Arguments& arguments_;
    std::vector<bool> lost_, partial_;
    bool cut_ = false;
    std::size_t at_ = 1; // argv[0] is the program's name
    bool options_over_ = false, stopped_ = false, ends_without_code_ = false;
    bool dash_ = false, interactive_ = false, version_ = false, lua_mode_ = false, lost_script_ = false;
    std::optional<std::size_t> first_word_; // that is no option
    std::optional<std::size_t> word_;       // the same, where it may be a script
    std::vector<Script> scripts_;           // of options
    std::vector<std::string> seen_;         // short options, each once
    Invocation result_;
};

} // namespace

Invocation parse_invocation(const Profile& profile, const Arguments& arguments) {
    return Reader(profile.grammar, arguments).read();
}

} // namespace luatrail::detect
