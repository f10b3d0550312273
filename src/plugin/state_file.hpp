// Bytes that outlive the process: one file of a state directory, written whole or not at all.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "luatrail/base/descriptor.hpp"

namespace luatrail::plugin {

class StateFile {
  public:
    explicit StateFile(std::string directory) : directory_(std::move(directory)) {}

    // Waits for another plugin of the same directory to end, but no longer than `patience`; until this one ends others
    // wait for it.
    void lock(std::chrono::milliseconds patience);

    // The bytes that were saved last; nothing when there are none. What cannot be used (of another version, cut,
    // altered, not this user's alone to write) is set aside as "state.bad" and reported in `complaint`.
    std::optional<std::string> load(std::string& complaint) const;
    // Sets aside what load() gave: its reader found it wrong.
    void reject(std::string_view why, std::string& complaint) const;

    // Atomically: a new file takes the old one's name. The reason when that fails; the old one is kept then. `sync`:
    // waits until the disk has it.
    std::optional<std::string> save(std::string_view bytes, bool sync) const;

    std::string path() const { return directory_ + "/state"; }

  private:
    std::string directory_;
    std::shared_ptr<base::Descriptor> lock_;
};

} // namespace luatrail::plugin
