// The inventory's file: whether another lies there by now, and whether it is older than what it tells of.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace luatrail::app {

class InventoryWatch {
  public:
    // Takes the file that is there as known.
    void know(const std::string& path);
    // Whether it is another one than the one that is known; which is known then.
    bool changed(const std::string& path);
    // Whether the package databases were changed after it was built, and nobody built it anew within five minutes. True
    // once for each inventory.
    bool went_stale();

  private:
    std::array<std::int64_t, 4> stamp_{}; // device, inode, seconds and nanoseconds of its last change; zeros: none
    bool told_ = false;
};

} // namespace luatrail::app
