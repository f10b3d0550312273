// What of this host the rules depend on.
#include "luatrail/rules/this_host.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>

#include <dirent.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace luatrail::rules {
namespace {

constexpr std::array<const char*, 7> program_directories{"/usr/bin",        "/usr/local/bin", "/bin",     "/usr/sbin",
                                                         "/usr/local/sbin", "/sbin",          "/snap/bin"};

// The first that is there counts: exe!= may stand once in a rule. dnf and yum are Python, which does other things, too.
constexpr std::array<const char*, 6> package_managers{"/usr/bin/dpkg",   "/usr/bin/dnf5", "/usr/bin/rpm",
                                                      "/usr/bin/pacman", "/sbin/apk",     "/usr/bin/apk"};

std::optional<std::string> real_path(const std::string& path) {
    struct Free {
        void operator()(char* text) const { std::free(text); } // NOLINT(cppcoreguidelines-no-malloc): realpath(3)
    };
    const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
    return real ? std::optional(std::string(real.get())) : std::nullopt;
}

std::optional<std::string> directory(const std::string& path) {
    struct stat status {};
    auto real = real_path(path);
    return real && ::stat(real->c_str(), &status) == 0 && S_ISDIR(status.st_mode) ? real : std::nullopt;
}

bool is_elf(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
    std::array<char, 4> magic{};
    return file && std::fread(magic.data(), 1, magic.size(), file.get()) == magic.size() &&
           std::string_view(magic.data(), magic.size()) == "\x7f"
                                                           "ELF";
}

// Of the file and every directory above it.
bool only_root_can_replace(std::string path) {
    for (;;) {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0 || status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            return false;
        }
        if (path == "/") {
            return true;
        }
        path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    }
}

std::vector<std::string> interpreters(const detect::ProfileSet& profiles) {
    std::set<std::string> found;
    for (const auto* const directory : program_directories) {
        const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory), &::closedir);
        while (const auto* const entry = open ? ::readdir(open.get()) : nullptr) {
            const auto path = fmt::format("{}/{}", directory, entry->d_name);
            if (!profiles.may_match(path)) {
                continue;
            }
            // A script by an interpreter's name (luarocks' wrappers) runs as what its first line names.
            if (const auto real = real_path(path); real && is_elf(*real)) {
                found.insert(*real);
            }
        }
    }
    return {found.begin(), found.end()};
}

} // namespace

Host this_host(const detect::ProfileSet& profiles) {
    Host host{machine_name(), &directory, interpreters(profiles), std::nullopt};
    for (const auto* const path : package_managers) {
        if (const auto real = real_path(path); real && is_elf(*real) && only_root_can_replace(*real)) {
            host.package_manager = *real;
            break;
        }
    }
    return host;
}

} // namespace luatrail::rules
