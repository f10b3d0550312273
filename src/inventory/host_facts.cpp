#include "inventory/host_facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "luatrail/base/words.hpp"

namespace luatrail::inventory {
namespace {

// "NAME=value" of os-release(5) and login.defs(5)'s "NAME value", quotes left away.
std::string value_of(std::string_view text, std::string_view name, char between) {
    for (const auto line : base::lines(text)) {
        if (line.starts_with(name) && line.size() > name.size() &&
            (line[name.size()] == between || line[name.size()] == '\t')) {
            auto value = base::trimmed(line.substr(name.size() + 1));
            if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
                value = value.substr(1, value.size() - 2);
            }
            return std::string(value);
        }
    }
    return {};
}

// systemd.service(5), "COMMAND LINES": "@", "-", ":", "+", "!" and "|" before a command say how it is run.
std::string command_of(std::string_view value) {
    value = base::trimmed(value);
    value.remove_prefix(std::min(value.find_first_not_of("@-:+!|"), value.size()));
    return std::string(value);
}

void read_unit(std::string_view text, Unit& unit) {
    bool service = false;
    std::string joined; // a line that ends in '\' goes on
    for (const auto raw : base::lines(text)) {
        const auto line = base::trimmed(raw);
        if (line.ends_with('\\')) {
            joined += base::trimmed(line.substr(0, line.size() - 1));
            joined += ' ';
            continue;
        }
        joined += line;
        const auto whole = std::exchange(joined, {});
        if (whole.starts_with('[')) {
            service = whole == "[Service]";
            continue;
        }
        const auto equals = whole.find('=');
        if (!service || equals == std::string::npos || whole.starts_with('#') || whole.starts_with(';')) {
            continue;
        }
        const auto key = base::trimmed(std::string_view(whole).substr(0, equals));
        const auto value = base::trimmed(std::string_view(whole).substr(equals + 1));
        if (key == "User") {
            unit.user = value.empty() ? std::nullopt : std::optional<std::string>(value);
        } else if (key == "ExecStart" || key == "ExecStartPre" || key == "ExecStartPost" || key == "ExecReload") {
            if (value.empty()) {
                unit.commands.clear(); // a drop-in begins anew
            } else {
                unit.commands.push_back(command_of(value));
            }
        }
    }
}

constexpr std::array unit_directories{"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                      "/lib/systemd/system"};

} // namespace

std::string system_name(const Root& root) {
    for (const auto* path : {"/etc/os-release", "/usr/lib/os-release"}) {
        if (const auto text = root.read(path)) {
            if (auto name = value_of(*text, "PRETTY_NAME", '='); !name.empty()) {
                return name;
            }
        }
    }
    return {};
}

std::vector<Unit> read_units(const Root& root) {
    std::vector<Unit> units;
    std::set<std::string> seen;
    for (const std::string directory : unit_directories) {
        for (const auto& name : root.list(directory)) {
            if (!name.ends_with(".service") || !seen.insert(name).second) {
                continue; // the first one hides those of later directories
            }
            Unit unit;
            unit.name = name;
            unit.path = fmt::format("{}/{}", directory, name);
            read_unit(root.read(unit.path).value_or(""), unit); // /dev/null masks it
            for (const std::string more : unit_directories) {
                const auto drop_ins = fmt::format("{}/{}.d", more, name);
                for (const auto& file : root.list(drop_ins)) {
                    if (file.ends_with(".conf")) {
                        read_unit(root.read(fmt::format("{}/{}", drop_ins, file)).value_or(""), unit);
                    }
                }
            }
            if (!unit.commands.empty()) {
                units.push_back(std::move(unit));
            }
        }
    }
    return units;
}

namespace {

// Five times, or "@reboot", then in the system's tables a user, then the command.
void read_crontab(const Root& root, const std::string& path, const std::string& user, std::vector<CronEntry>& entries,
                  Complaints& complaints) {
    std::size_t number = 0;
    const auto text = root.read(path).value_or("");
    for (const auto raw : base::lines(text)) {
        ++number;
        const auto line = base::trimmed(raw);
        const auto blank = line.find_first_of(" \t");
        if (line.empty() || line.front() == '#' || line.substr(0, blank).find('=') != std::string_view::npos) {
            continue; // a comment, or a variable
        }
        const std::size_t times = line.front() == '@' ? 1 : 5;
        const std::size_t before = times + (user.empty() ? 1 : 0);
        const auto words = base::words(line, before + 1);
        if (words.size() <= before) {
            if (line.find('=') == std::string_view::npos) {
                complaints.add(fmt::format("{}:{}", path, number), "no entry of a crontab");
            }
            continue;
        }
        entries.push_back({path, user.empty() ? std::string(words[times]) : user, std::string(words.back())});
    }
}

} // namespace

std::vector<CronEntry> read_cron(const Root& root, Complaints& complaints) {
    std::vector<CronEntry> entries;
    read_crontab(root, "/etc/crontab", "", entries, complaints);
    for (const auto& name : root.list("/etc/cron.d")) {
        if (name.front() != '.') {
            read_crontab(root, "/etc/cron.d/" + name, "", entries, complaints);
        }
    }
    for (const std::string directory : {"/var/spool/cron/crontabs", "/var/spool/cron"}) { // Debian's; Red Hat's
        for (const auto& user : root.list(directory)) {
            const auto path = fmt::format("{}/{}", directory, user);
            if (const auto status = root.status(path); status && status->type == Root::Type::file) {
                read_crontab(root, path, user, entries, complaints);
            }
        }
    }
    for (const auto* const often : {"hourly", "daily", "weekly", "monthly"}) {
        const auto directory = fmt::format("/etc/cron.{}", often);
        for (const auto& name : root.list(directory)) {
            auto path = fmt::format("{}/{}", directory, name);
            if (const auto status = root.target_status(path);
                status && status->type == Root::Type::file && status->executable) {
                entries.push_back({path, "root", path});
            }
        }
    }
    return entries;
}

std::vector<Account> read_accounts(const Root& root, Complaints& complaints) {
    std::vector<Account> accounts;
    std::uint32_t least = 1000; // UID_MIN where login.defs says nothing
    const auto defs = value_of(root.read("/etc/login.defs").value_or(""), "UID_MIN", ' ');
    std::from_chars(defs.data(), defs.data() + defs.size(), least);
    std::size_t number = 0;
    const auto text = root.read("/etc/passwd").value_or("");
    for (const auto line : base::lines(text)) {
        ++number;
        if (base::trimmed(line).empty() || line.front() == '#' || line.front() == '+' || line.front() == '-') {
            continue; // NIS
        }
        constexpr std::size_t least_fields = 7; // passwd(5)
        auto fields = base::fields(line, ':');
        const bool whole = fields.size() >= least_fields;
        fields.resize(least_fields);
        Account account;
        const auto [end, error] = std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), account.uid);
        if (!whole || fields[0].empty() || error != std::errc{} || end != fields[2].data() + fields[2].size()) {
            complaints.add(fmt::format("/etc/passwd:{}", number), "no account");
            continue;
        }
        account.name = fields[0];
        account.shell = fields[6];
        constexpr std::uint32_t nobody = 65534;
        const bool no_shell = account.shell.ends_with("/nologin") || account.shell.ends_with("/false");
        account.service = no_shell || (account.uid < least && account.uid != 0) || account.uid == nobody;
        accounts.push_back(std::move(account));
    }
    return accounts;
}

} // namespace luatrail::inventory
