// What on a host says who runs what: units, cron entries, accounts.
#pragma once

#include "inventory/database.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::inventory {

std::string system_name(const Root& root); // os-release(5), PRETTY_NAME
// systemd.unit(5): units of all directories, those of /etc before those of packages, with their drop-ins. `package` is
// left empty.
std::vector<Unit> read_units(const Root& root);
std::vector<CronEntry> read_cron(const Root& root,
                                 Complaints& complaints); // crontab(5), and the directories of run-parts(8)
std::vector<Account> read_accounts(const Root& root, Complaints& complaints); // passwd(5), login.defs(5)

} // namespace luatrail::inventory
