// The files that the plugin writes: its state, its status, its wish for a new inventory. While it runs they are written
// beside its loop.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "luatrail/setup/config.hpp"
#include "plugin/saver.hpp"
#include "plugin/state_file.hpp"
#include "plugin/status.hpp"

namespace luatrail::plugin {

class FileWriter {
  public:
    // Starts a thread: behind become(), before filter_calls().
    void start() { saver_.emplace(); }

    // Each returns false while the one before is still being written.
    bool begin_state(const StateFile& file, std::string bytes);
    bool begin_status(const setup::Config::Status& config, const Status& status);
    bool begin_wish(const std::string& inventory);

    // Until none is being written; false when one still is after so long: the disk does not answer.
    bool wait(std::chrono::milliseconds patience) { return saver_->wait(patience); }
    // The last ones, within the loop. Returns whether the state was written.
    bool write_last(const StateFile& file, std::string_view bytes, const setup::Config::Status& config,
                    const Status& status);

  private:
    std::optional<Saver> saver_;
    Complaint about_state_, about_status_, about_inventory_;
};

} // namespace luatrail::plugin
