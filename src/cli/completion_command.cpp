// luatrail completion: what a shell needs to complete luatrail's command line, from the command line's own description.
#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "luatrail/base/console.hpp"

namespace luatrail::cli {
namespace {

struct CompletedOption {
    std::vector<std::string> names; // "--format", "-c"
    std::string help;
    std::vector<std::string> choices; // its only values
    bool takes_value = false, takes_file = false;
};

// A command, or the words up to one that has commands of its own.
struct CompletedCommand {
    std::string words, help; // "", "config", "config check"
    std::vector<CompletedOption> options;
    std::vector<std::pair<std::string, std::string>> below; // commands of its own, with what they are for
    bool takes_files = false;
};

// "FORMAT:{text,json}": CLI11's IsMember.
std::vector<std::string> choices_of(const std::string& type) {
    const auto open = type.find('{');
    const auto close = type.find('}', std::min(open, type.size()));
    std::vector<std::string> choices;
    for (auto at = open; close != std::string::npos && at < close;) {
        const auto end = std::min(type.find(',', at + 1), close);
        choices.push_back(type.substr(at + 1, end - at - 1));
        at = end;
    }
    return choices;
}

bool names_file(const std::string& type) {
    return type.starts_with("FILE") || type.starts_with("DIR") || type.starts_with("PATH");
}

CompletedOption option_of(const CLI::Option& from) {
    CompletedOption made;
    for (const auto& name : from.get_lnames()) {
        made.names.push_back("--" + name);
    }
    for (const auto& name : from.get_snames()) {
        made.names.push_back("-" + name);
    }
    made.help = from.get_description();
    made.takes_value = from.get_items_expected_max() > 0;
    made.choices = choices_of(from.get_type_name());
    made.takes_file = made.takes_value && made.choices.empty() && names_file(from.get_type_name());
    return made;
}

void collect(const CLI::App& app, const std::string& words, std::vector<CompletedCommand>& commands) {
    CompletedCommand made{words, app.get_description(), {}, {}, false};
    for (const auto* option : app.get_options()) {
        if (option->nonpositional()) {
            made.options.push_back(option_of(*option));
        } else {
            made.takes_files = made.takes_files || choices_of(option->get_type_name()).empty();
            for (const auto& choice : choices_of(option->get_type_name())) {
                made.below.emplace_back(choice, "");
            }
        }
    }
    const auto below = app.get_subcommands([](const CLI::App* /*any*/) { return true; });
    for (const auto* sub : below) {
        made.below.emplace_back(sub->get_name(), sub->get_description());
    }
    commands.push_back(std::move(made));
    for (const auto* sub : below) {
        collect(*sub, words.empty() ? sub->get_name() : words + " " + sub->get_name(), commands);
    }
}

// In single quotes of any of the shells.
std::string in_quotes(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        safe += c == '\'' ? std::string("’") : std::string(1, c);
    }
    return "'" + safe + "'";
}

std::vector<std::string> long_names(const CompletedCommand& command) {
    std::vector<std::string> names;
    for (const auto& option : command.options) {
        std::copy_if(option.names.begin(), option.names.end(), std::back_inserter(names),
                     [](const std::string& name) { return name.starts_with("--"); });
    }
    return names;
}

// `case` labels "COMMAND:OPTION", the same in bash and zsh.
std::string labels(const CompletedCommand& command, const CompletedOption& option) {
    std::vector<std::string> made;
    for (const auto& name : option.names) {
        made.push_back(in_quotes(command.words + ":" + name));
    }
    return fmt::format("{}", fmt::join(made, " | "));
}

// The words up to a command: of "luatrail config --help check" "config check". The same in bash and zsh.
std::string words_so_far(const std::vector<CompletedCommand>& commands) {
    std::string text;
    for (const auto& command : commands) {
        for (const auto& [name, help] : command.below) {
            const auto whole = command.words.empty() ? name : command.words + " " + name;
            const bool is_command = std::any_of(commands.begin(), commands.end(),
                                                [&whole](const CompletedCommand& one) { return one.words == whole; });
            if (is_command) {
                text +=
                    fmt::format("      {}) command={} ;;\n", in_quotes(command.words + "|" + name), in_quotes(whole));
            }
        }
    }
    return text;
}

std::string for_bash(const std::vector<CompletedCommand>& commands) {
    std::string values;
    std::string words;
    for (const auto& command : commands) {
        for (const auto& option : command.options) {
            if (option.takes_value) {
                const auto action = option.takes_file
                                        ? std::string("compopt -o default 2>/dev/null")
                                        : fmt::format("mapfile -t COMPREPLY < <(compgen -W {} -- \"$current\")",
                                                      in_quotes(fmt::format("{}", fmt::join(option.choices, " "))));
                values += fmt::format("    {}) {}; return ;;\n", labels(command, option), action);
            }
        }
        std::vector<std::string> below;
        for (const auto& [name, help] : command.below) {
            below.push_back(name);
        }
        words += fmt::format("    {}) words={} below={} files={} ;;\n", in_quotes(command.words),
                             in_quotes(fmt::format("{}", fmt::join(long_names(command), " "))),
                             in_quotes(fmt::format("{}", fmt::join(below, " "))), command.takes_files ? "yes" : "''");
    }
    return fmt::format(R"(# shellcheck shell=bash
# bash completion of luatrail, made by `luatrail completion bash`
_luatrail() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command='' words='' below='' files='' word
  COMPREPLY=()
  # "--config=FILE" comes as three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$command|$word" in
{}    esac
  done
  case "$command:$previous" in
{}  esac
  case $command in
{}  esac
  if [[ $current == -* || -n $below ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$below $words" -- "$current")
  elif [[ -n $files ]]; then
    compopt -o default 2>/dev/null
  fi
}}
complete -F _luatrail luatrail
)",
                       words_so_far(commands), values, words);
}

// "--format:text or json", as _describe wants it.
std::string described(std::string name, std::string help) {
    const auto escape = [](std::string& text) {
        for (std::size_t at = 0; (at = text.find(':', at)) != std::string::npos; at += 2) {
            text.insert(at, "\\");
        }
    };
    escape(name);
    escape(help);
    return in_quotes(help.empty() ? name : name + ":" + help);
}

std::string for_zsh(const std::vector<CompletedCommand>& commands) {
    std::string values;
    std::string lists;
    for (const auto& command : commands) {
        std::vector<std::string> options;
        for (const auto& option : command.options) {
            for (const auto& name : option.names) {
                options.push_back(described(name, option.help));
            }
            if (option.takes_value) {
                const auto action = option.takes_file ? std::string("_files")
                                                      : fmt::format("compadd -- {}", fmt::join(option.choices, " "));
                values += fmt::format("    ({}) {}; return ;;\n", labels(command, option), action);
            }
        }
        std::vector<std::string> below;
        for (const auto& [name, help] : command.below) {
            below.push_back(described(name, help));
        }
        lists += fmt::format("    ({}) options=({}) below=({}) files={} ;;\n", in_quotes(command.words),
                             fmt::join(options, " "), fmt::join(below, " "), command.takes_files ? "yes" : "''");
    }
    return fmt::format(R"(#compdef luatrail
# zsh completion of luatrail, made by `luatrail completion zsh`
_luatrail() {{
  local current=${{words[CURRENT]}} previous=${{words[CURRENT-1]}} command='' files='' word
  local -a options below
  if [[ $current == --*=* ]]; then
    previous=${{current%%=*}}
    compset -P '*='
  fi
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    case "$command|$word" in
{}    esac
  done
  case "$command:$previous" in
{}  esac
  case $command in
{}  esac
  if [[ $current == -* ]]; then
    _describe -o option options
  elif (( ${{#below}} )); then
    _describe command below
  elif [[ -n $files ]]; then
    _files
  fi
}}
compdef _luatrail luatrail 2>/dev/null
[[ $funcstack[1] != _luatrail ]] || _luatrail "$@"
)",
                       words_so_far(commands), values, lists);
}

std::string for_fish(const std::vector<CompletedCommand>& commands) {
    std::string lines;
    for (const auto& command : commands) {
        const auto at =
            fmt::format("complete -c luatrail -n \"test (__luatrail_command) = {}\"", in_quotes(command.words));
        const bool files = command.takes_files;
        lines += fmt::format("{} {}\n", at, files ? "-F" : "-f");
        for (const auto& [name, help] : command.below) {
            lines += fmt::format("{} -f -a {} -d {}\n", at, in_quotes(name), in_quotes(help));
        }
        for (const auto& option : command.options) {
            std::string line = at;
            for (const auto& name : option.names) {
                line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            }
            if (option.takes_value) {
                line += option.takes_file ? " -r -F" : " -x";
            }
            if (!option.choices.empty()) {
                line += fmt::format(" -a {}", in_quotes(fmt::format("{}", fmt::join(option.choices, " "))));
            }
            lines += fmt::format("{} -d {}\n", line, in_quotes(option.help));
        }
    }
    std::vector<std::string> known;
    for (const auto& command : commands) {
        if (!command.words.empty()) {
            known.push_back(in_quotes(command.words));
        }
    }
    return fmt::format(R"(# fish completion of luatrail, made by `luatrail completion fish`
function __luatrail_command
    set -l command ''
    for word in (commandline -opc)[2..]
        set -l longer (string trim -- "$command $word")
        contains -- "$longer" {}; and set command $longer
    end
    echo -- $command
end
{})",
                       fmt::join(known, " "), lines);
}

} // namespace

Command add_completion(CLI::App& app) {
    auto shell = std::make_shared<std::string>();
    app.add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
    app.footer("Prints a script for that shell: . <(luatrail completion bash). Packages bring all three.\n"
               "Exit status: 0 printed, 2 something could not be written.");
    return [&app, shell] {
        std::vector<CompletedCommand> commands;
        collect(*app.get_parent(), "", commands);
        fmt::print("{}", *shell == "bash"  ? for_bash(commands)
                         : *shell == "zsh" ? for_zsh(commands)
                                           : for_fish(commands));
        return std::fflush(stdout) == 0 ? base::exit_clean : base::exit_trouble;
    };
}

} // namespace luatrail::cli
