// Who the plugin is once it has started, and what it may still do. It starts as auditd starts it, as root.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace luatrail::plugin {

struct Account {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
};

// The account that privileges.user names. Nothing where the process stays who it is: it is not root, or root is what
// the key says; or, and `why` says so, because it cannot be anybody else.
struct Choice {
    std::optional<Account> account;
    std::string why;
};
Choice choose_account(const std::string& name);

// Becomes the account, without groups beside its own, and keeps of all capabilities (bounding set, too) only these; no
// exec gives it new ones (no_new_privs). Before any thread is started, for each has its own. Returns why that failed:
// it may have become the account and hold capabilities all the same.
std::optional<std::string> become(const std::optional<Account>& account, const std::vector<unsigned>& capabilities);

// The name of the account that it now runs as, or its number.
std::string own_name();

} // namespace luatrail::plugin
