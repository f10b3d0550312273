// What of this host the rules depend on.
#include "luatrail/rules/this_host.hpp"

#include <algorithm>
#include <array>

#include <sys/stat.h>

#include "luatrail/base/elf.hpp"
#include "luatrail/base/file.hpp"

// libaudit 3.1 and later, and with it auditctl.
extern "C" int audit_name_to_uringop(const char* operation) __attribute__((weak));

namespace luatrail::rules {
namespace {

// The first that is there counts: exe!= may stand once in a rule. dnf and yum are Python, which does other things, too.
constexpr std::array<const char*, 6> package_managers{"/usr/bin/dpkg",   "/usr/bin/dnf5", "/usr/bin/rpm",
                                                      "/usr/bin/pacman", "/sbin/apk",     "/usr/bin/apk"};

std::optional<std::string> directory(const std::string& path) {
    struct stat status {};
    auto real = base::real_path(path);
    return real && ::stat(real->c_str(), &status) == 0 && S_ISDIR(status.st_mode) ? real : std::nullopt;
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

} // namespace

Host this_host(const LuaFiles& found) {
    Host host{machine_name(), &directory, {}};
    host.libraries = found.libraries;
    host.io_uring = audit_name_to_uringop != nullptr;
    for (const auto& program : found.programs) {
        if (program.content) {
            continue; // nothing asks for it but the plugin
        }
        auto& list = program.profile == nullptr ? host.library_users
                     : program.is_interpreter() ? host.interpreters
                                                : host.host_programs;
        list.push_back(program.path);
    }
    for (const auto* const path : package_managers) {
        if (const auto real = base::real_path(path);
            real && base::needed_libraries(*real) && only_root_can_replace(*real)) {
            host.package_manager = *real;
            break;
        }
    }
    return host;
}

Host this_host(const detect::ProfileSet& profiles) {
    return this_host(find_lua(profiles));
}

} // namespace luatrail::rules
