#include "detect/opened_code.hpp"

#include <algorithm>
#include <array>

#include "luatrail/base/glob.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/detect/invocation.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::detect {
namespace {

bool any_matches(const std::vector<std::string>& globs, std::string_view path) {
    return std::any_of(globs.begin(), globs.end(),
                       [path](const std::string& glob) { return base::glob_match(glob, path); });
}

// What a command line says of a file that the program opened. Words of options are commands ("+luafile x"), the others
// are files to work on.
struct Words {
    bool operand = false; // one of them is the file, or an option gives it as one to work on
    bool command = false; // one of the commands names it
    bool value = false;   // the file is all that an option's value says: a settings file
    bool sourced = false; // it is to be read as the program's own language
};

bool names(const audit::TypedEvent& event, const std::vector<std::string>& words, std::string_view path) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& word) { return absolute(event, word) == path; });
}

// A command that may run what it names: the file, or what is edited ("call execute('so %')").
bool may_run(std::string_view command, std::string_view name, bool operand) {
    return command.find(name) != std::string_view::npos ||
           (operand && command.find("execute") != std::string_view::npos &&
            command.find('%') != std::string_view::npos);
}

// Whether a part of what an option with code gets is the file, also where its own rules take it for a name ("--script
// payload": a category of nmap, or a file).
bool is_part_of_code(const audit::TypedEvent& event, const OptionRule& rule, std::string_view value,
                     std::string_view path) {
    const bool code =
        rule.role == OptionRole::script || rule.role == OptionRole::sourced || rule.role == OptionRole::lua_mode;
    while (code && !value.empty()) {
        const auto end = std::min(value.find_first_of(rule.separators), value.size());
        if (end > 0 && absolute(event, value.substr(0, end)) == path) {
            return true;
        }
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return false;
}

// A command that adds the directory in which the file lies to where code is looked for ("set rtp^=/tmp/c"), or reads it
// from there.
bool names_directory_of(std::string_view command, std::string_view path) {
    for (auto slash = path.rfind('/'); slash != std::string_view::npos && slash > 0;
         slash = path.rfind('/', slash - 1)) {
        const auto directory = path.substr(0, slash);
        const auto at = command.find(directory);
        const bool several = directory.find('/', 1) != std::string_view::npos; // not "/tmp" alone
        if (at != std::string_view::npos && several) {
            return true;
        }
    }
    return false;
}

// A path of which only the command line's reader knows what it stands for: "#1", "<afile>", "$X".
bool stands_for_any(const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(), [](const std::string& word) {
        return !word.empty() && std::string_view("%#<$`").find(word.front()) != std::string_view::npos;
    });
}

Words words_about(const host::Process& process, const Profile& profile, const audit::TypedEvent& event,
                  std::string_view path) {
    Words found;
    const auto name = base::basename(path);
    const auto& argv = process.argv;
    const bool has_language = !profile.grammar.commands.empty();
    for (std::size_t at = 1; at < argv.size(); ++at) {
        const std::string_view word = argv[at];
        const bool option = word.size() > 1 && (word.front() == '-' || word.front() == '+');
        const auto& options = profile.grammar.options;
        const bool value = std::any_of(options.begin(), options.end(), [&](const OptionRule& rule) {
            return rule.spelling == argv[at - 1] && rule.role != OptionRole::flag;
        });
        found.sourced = found.sourced || std::any_of(options.begin(), options.end(), [&](const OptionRule& rule) {
                            return rule.spelling == argv[at - 1] && is_part_of_code(event, rule, word, path);
                        });
        if (value && absolute(event, word) == path) {
            found.value = true;
        } else if (option || value) {
            found.command = found.command || (!has_language && word.find(name) != std::string_view::npos) ||
                            (has_language && has_code_ending(path, false) && names_directory_of(word, path));
        } else {
            found.operand = found.operand || absolute(event, word) == path;
        }
    }
    const auto invocation = parse_invocation(profile, {.argv = argv, .missing = {}});
    found.sourced = found.sourced || names(event, invocation.sourced, path) ||
                    names(event, invocation.more_scripts, path) ||
                    (invocation.script && absolute(event, *invocation.script) == path) ||
                    (found.operand && stands_for_any(invocation.sourced));
    for (const auto& command : invocation.other_commands) {
        if (may_run(command, name, found.operand)) {
            (found.operand ? found.sourced : found.command) = true;
        }
    }
    found.operand = found.operand || names(event, invocation.data, path);
    return found;
}

// Somebody sits before it, at a terminal or at a window of a login session.
bool is_attended(const host::Process& process, const Profile& profile, bool terminal) {
    const auto options_end = std::find(process.argv.begin(), process.argv.end(), "--");
    const auto has = [&](const std::vector<std::string>& globs) {
        return std::any_of(process.argv.begin(), options_end,
                           [&](const std::string& word) { return any_matches(globs, word); });
    };
    return terminal || (process.auid && has(profile.windowed) && !has(profile.unattended));
}

// The same editor, by whom the change was made or from which its maker was started.
bool is_by_hand(const Node& node, const Profile& profile, const host::Process& editor, const host::Change& change) {
    constexpr int most_steps = 12; // images
    auto who = change.by;
    for (int steps = 0; steps < most_steps; ++steps) {
        const auto* image = node.processes.find(who);
        if (image == nullptr) {
            return false;
        }
        if (image->exe == editor.exe && image->uid == editor.uid) {
            const bool by_itself = std::any_of(image->argv.begin(), image->argv.end(), [&](const std::string& word) {
                return any_matches(profile.unattended, word);
            });
            if (by_itself || is_attended(*image, profile, image->terminal)) {
                return !by_itself; // a child that it forks may have left the terminal
            }
        }
        who = node.processes.above(who);
    }
    return false;
}

} // namespace

std::string absolute(const audit::TypedEvent& event, std::string_view name) {
    return host::join_path(event.cwd.value_or("/"), name);
}

bool has_code_ending(std::string_view path, bool libraries) {
    constexpr std::array endings = {std::string_view{".lua"}, std::string_view{".luac"}, std::string_view{".lc"},
                                    std::string_view{".ljbc"}, std::string_view{".luo"}};
    const auto name = base::basename(path);
    return std::any_of(endings.begin(), endings.end(), [name](std::string_view one) { return name.ends_with(one); }) ||
           (libraries && (name.ends_with(".so") || name.find(".so.") != std::string_view::npos));
}

bool is_code(const Profile* profile, std::string_view path, std::optional<std::uint32_t> mode) {
    constexpr std::uint32_t executable = 0111;
    if (profile != nullptr && !profile->loads.empty()) {
        return any_matches(profile->loads, path);
    }
    const bool interpreter = profile == nullptr || !profile->embedded;
    return has_code_ending(path, interpreter) || (interpreter && mode && (*mode & executable) != 0);
}

bool runs_opened(const host::Process& process, const Profile& profile, const audit::TypedEvent& event,
                 const audit::PathItem& item, std::string_view path) {
    const bool loads = is_code(&profile, path, item.mode);
    const auto words = words_about(process, profile, event, path);
    if (words.sourced) {
        return true;
    }
    if (profile.startup.empty()) {
        // A file that it is given to work on; where it is given code, its grammar says so.
        const bool given = profile.embedded && words.operand && !profile.grammar.options.empty();
        return loads && !given;
    }
    const bool attended = is_attended(process, profile, event.syscall.tty.has_value());
    const bool named = words.command || (words.value && has_code_ending(path, false));
    return (any_matches(profile.startup, path) && !(words.operand && attended)) || (named && !words.operand) ||
           (loads && !attended && !words.operand && !words.value);
}

void leave_out_own_work(const Profile& profile, const host::Process& process, std::string_view path,
                        std::vector<ChainEntry>& drops) {
    if (any_matches(profile.own, path)) {
        std::erase_if(drops, [&](const ChainEntry& entry) {
            return entry.by && entry.by->exe == process.exe && entry.by->uid == process.uid;
        });
    }
}

void leave_out_work_by_hand(const Node& node, const Profile& profile, const host::Process& editor,
                            const host::File& file, std::vector<ChainEntry>& drops) {
    if (profile.startup.empty()) {
        return; // no editor
    }
    std::erase_if(drops, [&](const ChainEntry& entry) {
        return std::any_of(file.changes.begin(), file.changes.end(), [&](const host::Change& change) {
            return change.event == entry.event && is_by_hand(node, profile, editor, change);
        });
    });
}

} // namespace luatrail::detect
