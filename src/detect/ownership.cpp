#include "detect/ownership.hpp"

#include <algorithm>
#include <array>

#include "luatrail/base/text.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::detect {
namespace {

// Programs that stay above a container's processes, or start its first one.
constexpr std::array<std::string_view, 12> runtimes{"containerd-shim",
                                                    "containerd-shim-runc-v2",
                                                    "conmon",
                                                    "crun",
                                                    "runc",
                                                    "docker-init",
                                                    "catatonit",
                                                    "lxc-start",
                                                    "lxc-execute",
                                                    "systemd-nspawn",
                                                    "bwrap",
                                                    "crio-conmon"};

// Where only root, or a package, puts programs: a runtime that runs as somebody else must lie there. One that no
// package brought (k3s unpacks its own below /var/lib) runs as root.
bool is_installed(std::string_view path, bool root) {
    constexpr std::array system{std::string_view{"/usr/"}, std::string_view{"/bin/"},  std::string_view{"/sbin/"},
                                std::string_view{"/opt/"}, std::string_view{"/snap/"}, std::string_view{"/nix/store/"}};
    constexpr std::array of_users{std::string_view{"/home/"}, std::string_view{"/tmp/"}, std::string_view{"/var/tmp/"},
                                  std::string_view{"/dev/"}, std::string_view{"/run/user/"}};
    const auto below = [path](const auto& directories) {
        return std::any_of(directories.begin(), directories.end(),
                           [path](std::string_view directory) { return path.starts_with(directory); });
    };
    return path.starts_with('/') && (below(system) || (root && !below(of_users)));
}

bool is_runtime(const Node& node, const inventory::Inventory* inventory, const host::Process& process) {
    if (!process.exe || std::find(runtimes.begin(), runtimes.end(), base::basename(*process.exe)) == runtimes.end()) {
        return false;
    }
    const auto owner = inventory != nullptr ? inventory->owner(*process.exe) : std::nullopt;
    const auto* file = node.files.find(*process.exe);
    const bool brought = file != nullptr && !file->changes.empty();
    return owner ? owner->file->state != inventory::DigestState::differs
                 : is_installed(*process.exe, process.uid == 0U) && !brought;
}

// systemd expands "$NAME", "%i" and quotes: words with them match any one.
bool word_matches(std::string_view wanted, std::string_view found) {
    return wanted == found || wanted.find_first_of("$%\"'\\") != std::string_view::npos;
}

} // namespace

Ownership::Ownership(const Node& node, const inventory::Inventory* inventory,
                     const std::vector<const host::Process*>& ancestors)
    : inventory_(inventory), ancestors_(ancestors) {
    in_container_ = std::any_of(ancestors.begin(), ancestors.end(),
                                [&](const host::Process* one) { return is_runtime(node, inventory, *one); });
}

std::optional<std::string> Ownership::package_of(const std::optional<std::string>& path) const {
    const auto owner = inventory_ != nullptr && path && !in_container_ ? inventory_->owner(*path) : std::nullopt;
    return owner ? std::optional(owner->package->name) : std::nullopt;
}

std::optional<std::string> Ownership::packaged_path(const std::optional<std::string>& path) const {
    auto owner = inventory_ != nullptr && path && !in_container_ ? inventory_->owner(*path) : std::nullopt;
    return owner && owner->path != *path ? std::optional(std::move(owner->path)) : std::nullopt;
}

bool Ownership::altered(const std::optional<std::string>& path) const {
    const auto owner = inventory_ != nullptr && path && !in_container_ ? inventory_->owner(*path) : std::nullopt;
    return owner && owner->file->state == inventory::DigestState::differs;
}

std::optional<std::string> Ownership::user_name(std::optional<std::uint32_t> uid) const {
    if (inventory_ == nullptr || !uid || in_container_) {
        return std::nullopt;
    }
    const auto found = std::find_if(inventory_->accounts.begin(), inventory_->accounts.end(),
                                    [uid](const inventory::Account& one) { return one.uid == *uid; });
    return found == inventory_->accounts.end() ? std::nullopt : std::optional(found->name);
}

std::optional<std::string> Ownership::unit_of(const host::Process& run) const {
    if (inventory_ == nullptr || in_container_) {
        return std::nullopt;
    }
    const host::Process* top = &run;
    for (const auto* ancestor : ancestors_) {
        if (ancestor->pid == 1) {
            break;
        }
        top = ancestor;
    }
    if (top->ppid != 1 || !top->exe) {
        return std::nullopt;
    }
    const auto exe = inventory_->canonical(*top->exe);
    std::optional<std::string> found;
    for (const auto& unit : inventory_->units) {
        for (const auto& command : unit.commands) {
            const auto words = base::words(command);
            if (words.empty()) {
                continue;
            }
            const auto owner = inventory_->owner(words[0]);
            const auto program = owner ? owner->path : inventory_->canonical(words[0]);
            // A script's argv begins with its interpreter: [interpreter, script, arguments].
            const bool as_script =
                program != exe && top->argv.size() > 1 && inventory_->canonical(top->argv[1]) == program;
            const std::size_t skip = as_script ? 1 : 0;
            if ((program != exe && !as_script) || top->argv.size() - skip != words.size() ||
                !std::equal(words.begin() + 1, words.end(), top->argv.begin() + static_cast<std::ptrdiff_t>(skip) + 1,
                            word_matches)) {
                continue;
            }
            if (found && *found != unit.name) {
                return std::nullopt;
            }
            found = unit.name;
        }
    }
    return found;
}

} // namespace luatrail::detect
