// What an inventory adds to a run: owners, accounts, the unit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/node.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/host/process_table.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::detect {

class Ownership {
  public:
    // Without an inventory nothing is known. `ancestors`: nearest first, as they stood at the time. A process below a
    // container's runtime has files of its own: the host's packages say nothing of them. A program is a runtime only as
    // the file that is installed as one, not by its name: what lies where users write, or was just brought, is none.
    Ownership(const Node& node, const inventory::Inventory* inventory,
              const std::vector<const host::Process*>& ancestors);

    std::optional<std::string> package_of(const std::optional<std::string>& path) const;
    std::optional<std::string> packaged_path(const std::optional<std::string>& path) const; // where it is not `path`
    // Whether the file is known not to be as its package brought it.
    bool altered(const std::optional<std::string>& path) const;
    std::optional<std::string> user_name(std::optional<std::uint32_t> uid) const;
    // The unit whose command the topmost process below pid 1 was started with; nothing when none is, or several are.
    std::optional<std::string> unit_of(const host::Process& run) const;
    bool in_container() const { return in_container_; }
    bool given() const { return inventory_ != nullptr || in_container_; } // an inventory

  private:
    const inventory::Inventory* inventory_;
    const std::vector<const host::Process*>& ancestors_;
    bool in_container_ = false;
};

} // namespace luatrail::detect
