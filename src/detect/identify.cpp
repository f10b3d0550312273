// Which execs are those of an interpreter.
#include <algorithm>
#include <array>

#include "judge.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/host/from_audit.hpp"

namespace luatrail::detect {
namespace {

// ld.so(8): these take a value, the others none; with a listing option nothing is run.
constexpr std::array loader_values = {std::string_view{"--library-path"},
                                      std::string_view{"--preload"},
                                      std::string_view{"--audit"},
                                      std::string_view{"--argv0"},
                                      std::string_view{"--inhibit-rpath"},
                                      std::string_view{"--glibc-hwcaps-prepend"},
                                      std::string_view{"--glibc-hwcaps-mask"}};
constexpr std::array loader_listings = {std::string_view{"--list"},          std::string_view{"--verify"},
                                        std::string_view{"--list-tunables"}, std::string_view{"--list-diagnostics"},
                                        std::string_view{"--help"},          std::string_view{"--version"}};

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& all, std::string_view word) {
    return std::find(all.begin(), all.end(), word) != all.end();
}

Identified behind_loader(const std::vector<std::string>& argv, const ProfileSet& profiles) {
    std::size_t at = 1;
    while (at < argv.size() && argv[at].starts_with("--")) {
        if (contains(loader_listings, argv[at])) {
            return {};
        }
        at += contains(loader_values, argv[at]) ? 2 : 1;
    }
    if (at >= argv.size()) {
        return {};
    }
    auto match = profiles.match(argv[at], argv[at]);
    match.by = IdentifiedBy::loader;
    return {match, at};
}

// A file that a copier made whose own arguments name an interpreter: `cp /usr/bin/luajit updater`.
Identified copied(const Node& node, const audit::TypedEvent& event, const ProfileSet& profiles) {
    const auto* file = interpreter_file(node, event);
    if (file == nullptr) {
        return {};
    }
    for (const auto& change : file->changes) {
        const auto* maker = node.processes.find(change.by);
        if (maker == nullptr || maker->argv.empty()) {
            continue;
        }
        for (auto word = maker->argv.begin() + 1; word != maker->argv.end(); ++word) {
            if (auto match = profiles.match(*word, *word);
                match.profile != nullptr && word->find('/') != std::string::npos) {
                match.by = IdentifiedBy::copy;
                return {match, 0};
            }
        }
    }
    return {};
}

} // namespace

// Items: of a #! script it, its interpreter, ld.so; else the program, under whatever name, and ld.so. A static program
// has no ld.so.
const host::File* interpreter_file(const Node& node, const audit::TypedEvent& event) {
    const auto is_exe = [&event](const audit::PathItem& item) {
        return item.name && event.syscall.exe && base::basename(*item.name) == base::basename(*event.syscall.exe);
    };
    const auto& items = event.paths;
    const bool script = items.size() > 2 || (items.size() == 2 && is_exe(items[1]) && !is_exe(items[0]));
    const std::size_t at = script ? 1 : 0;
    if (at >= event.paths.size()) {
        return nullptr;
    }
    const auto id = host::file_id_of(event.paths[at]);
    return id ? node.files.find(*id) : nullptr;
}

Identified identify(const Node& node, const audit::TypedEvent& event, const ProfileSet& profiles) {
    const auto exe = event.syscall.exe.value_or("");
    const auto& argv = event.execve.argv;
    const auto argv0 = argv.empty() ? std::string_view() : std::string_view(argv.front());
    if (const auto match = profiles.match(exe, argv0); match.profile != nullptr) {
        return {match, 0};
    }
    if (exe.starts_with("/memfd:")) { // its name is its maker's choice; what it calls itself is the only hint
        auto match = profiles.match(argv0, argv0);
        match.by = IdentifiedBy::argv0;
        return {match, 0};
    }
    if (profiles.is(ProgramKind::loader, exe)) {
        return behind_loader(argv, profiles);
    }
    return copied(node, event, profiles);
}

} // namespace luatrail::detect
