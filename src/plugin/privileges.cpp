#include "plugin/privileges.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cap-ng.h>
#include <fmt/format.h>

namespace luatrail::plugin {
namespace {

constexpr std::size_t most_entry = 16UL * 1024; // bytes of a line of passwd(5)

bool has(unsigned capability) {
    return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

} // namespace

Choice choose_account(const std::string& name) {
    if (::geteuid() != 0 || name.empty() || name == "root") {
        return {};
    }
    std::array<char, most_entry> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
        return {std::nullopt, fmt::format("there is no user {}", name)};
    }
    if (!has(CAP_SETUID) || !has(CAP_SETGID) || !has(CAP_SETPCAP)) {
        return {std::nullopt, fmt::format("it may not become {}: it was started without CAP_SETUID, CAP_SETGID or "
                                          "CAP_SETPCAP",
                                          name)};
    }
    if (entry.pw_uid == 0) {
        return {};
    }
    return {Account{name, entry.pw_uid, entry.pw_gid}, ""};
}

std::optional<std::string> become(const std::optional<Account>& account, const std::vector<unsigned>& capabilities) {
    std::optional<std::string> failed;
    if (::geteuid() == 0) { // an ordinary user has none
        constexpr auto kept = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
        capng_clear(CAPNG_SELECT_ALL);
        for (const auto capability : capabilities) {
            capng_update(CAPNG_ADD, kept, capability);
        }
        constexpr auto how = static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
        const int error = account ? capng_change_id(static_cast<int>(account->uid), static_cast<int>(account->gid), how)
                                  : capng_apply(CAPNG_SELECT_ALL);
        if (error != 0) {
            failed = fmt::format("capabilities could not be given up ({}): {}", error, std::strerror(errno));
        }
        if (account && ::getuid() == 0) {
            failed = fmt::format("it could not become {} ({}): {}", account->name, error, std::strerror(errno));
        }
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        failed = fmt::format("no_new_privs could not be set: {}", std::strerror(errno));
    }
    return failed;
}

std::string own_name() {
    std::array<char, most_entry> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr ? found->pw_name : std::to_string(::geteuid());
}

} // namespace luatrail::plugin
