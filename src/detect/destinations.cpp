#include "detect/destinations.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "luatrail/base/text.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::detect {

namespace {

bool names_by_descriptor(const host::FileEvent& file) {
    const auto relative = [](const audit::PathItem& item) {
        return item.nametype != audit::PathItem::NameType::parent && item.name && !item.name->empty() &&
               item.name->front() != '/';
    };
    return (!file.at_cwd || !file.at_cwd_second) &&
           std::any_of(file.typed->paths.begin(), file.typed->paths.end(), relative);
}

// "--target-directory=DIR", "-tDIR", "-t DIR", "-C DIR", "--directory=DIR": of cp, mv, install, ln, tar.
std::optional<std::string> told_by_option(const std::vector<std::string>& words) {
    constexpr std::array<std::string_view, 4> options{"-t", "-C", "--target-directory", "--directory"};
    for (std::size_t at = 1; at < words.size(); ++at) {
        const std::string_view word = words[at];
        for (const auto option : options) {
            if (word == option) {
                return at + 1 < words.size() ? std::optional(words[at + 1]) : std::nullopt;
            }
            const bool is_long = option.starts_with("--");
            if (word.size() > option.size() && word.starts_with(option) && (!is_long || word[option.size()] == '=')) {
                return std::string(word.substr(option.size() + (is_long ? 1 : 0)));
            }
        }
    }
    return std::nullopt;
}

// Behind their sources the directory is the last word.
std::optional<std::string> told_last(const std::vector<std::string>& words) {
    constexpr std::array<std::string_view, 5> programs{"cp", "mv", "install", "ginstall", "ln"};
    const auto program = base::basename(words.front());
    const auto named =
        std::count_if(words.begin() + 1, words.end(), [](const std::string& word) { return !word.starts_with('-'); });
    const bool copies = std::find(programs.begin(), programs.end(), program) != programs.end();
    return copies && named > 1 ? std::optional(words.back()) : std::nullopt;
}

} // namespace

void complete(const Node& node, host::FileEvent& file) {
    const auto& event = *file.typed;
    const bool by_descriptor = names_by_descriptor(file);
    if (event.syscall.exe && !by_descriptor) {
        return;
    }
    const auto* maker = node.processes.find(file.by);
    if (!event.syscall.exe && maker != nullptr && maker->exe) {
        file.exe = *maker->exe;
    }
    if (!by_descriptor) {
        return;
    }
    const bool known = maker != nullptr && !maker->argv.empty() && maker->exe &&
                       std::string_view(*maker->exe) == event.syscall.exe.value_or(*maker->exe);
    auto title = known ? audit::Title{maker->argv, false} : audit::title_words(event.title);
    if (title.words.empty()) {
        return;
    }
    auto directory = told_by_option(title.words);
    if (!directory && !title.cut) {
        directory = told_last(title.words);
    }
    if (directory && !directory->empty() && (directory->front() == '/' || event.cwd)) {
        file.destination = host::join_path(event.cwd.value_or("/"), *directory);
    }
}

} // namespace luatrail::detect
