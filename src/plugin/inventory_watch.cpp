#include "plugin/inventory_watch.hpp"

#include <cstring>
#include <utility>

#include <sys/stat.h>

#include <fmt/format.h>

#include "luatrail/base/atomic_file.hpp"
#include "luatrail/base/clock.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/inventory/build.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::plugin {
namespace {

std::array<std::int64_t, 4> stamp_of(const std::string& path) {
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) {
        return {};
    }
    return {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino), status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec};
}

} // namespace

void InventoryWatch::know(const std::string& path) {
    stamp_ = stamp_of(path);
    told_ = false;
}

bool InventoryWatch::changed(const std::string& path) {
    const auto before = stamp_;
    if (stamp_of(path) == before) {
        return false;
    }
    know(path);
    return true;
}

bool InventoryWatch::went_stale() {
    constexpr std::int64_t grace_ms = 300'000;
    const auto built_ms = stamp_[2] * 1000;
    if (built_ms == 0 || told_) {
        return false;
    }
    const auto changed_ms = inventory::databases_changed_ms();
    const bool stale = changed_ms > built_ms && base::wall_clock_ms() > changed_ms + grace_ms;
    return stale && !std::exchange(told_, true);
}

bool InventoryWatch::software_changed(std::uint64_t transactions) {
    return std::exchange(transactions_, transactions) != transactions && transactions != 0;
}

std::optional<std::string> want_inventory(const std::string& path) {
    const auto wanted = path + ".wanted";
    constexpr mode_t private_file = 0600;
    if (const auto failed =
            base::write_atomically(wanted, {}, base::iso_time(base::wall_clock_ms()) + "\n", private_file, false)) {
        return fmt::format("{}: {}; the inventory is built anew only when the package database changes", failed->path,
                           std::strerror(failed->error));
    }
    return std::nullopt;
}

} // namespace luatrail::plugin
