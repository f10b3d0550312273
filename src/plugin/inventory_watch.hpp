// The inventory's file: whether another has taken its place, and whether it is older than what it describes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace luatrail::plugin {

class InventoryWatch {
  public:
    // Takes the file that is there as known.
    void know(const std::string& path);
    // Whether it is another one than the one that is known; which is known then.
    bool changed(const std::string& path);
    // Whether the package databases were changed after it was built, and nobody built it anew within five minutes. True
    // once for each inventory.
    bool went_stale();
    // Whether package managers reported more transactions than when this was last asked.
    bool software_changed(std::uint64_t transactions);

  private:
    std::array<std::int64_t, 4> stamp_{}; // device, inode, seconds and nanoseconds of its last change; zeros: none
    bool told_ = false;
    std::uint64_t transactions_ = 0;
};

// Says that the inventory should be built anew, to what watches "INVENTORY.wanted" (luatrail-inventory.path).
// Returns why that failed.
std::optional<std::string> want_inventory(const std::string& path);

} // namespace luatrail::plugin
