// Files that were made by a name relative to a descriptor, in a directory of which the log shows only the inode.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/host/file_ledger.hpp"

namespace luatrail::host {

struct Unplaced {
    FileId file, directory; // inode 0: not even that is known of the directory
    std::string name;       // the last component

    template <class Archive>
    friend void transfer(Archive& archive, Unplaced& one) {
        archive(one.file, one.directory, one.name);
    }
};

// The latest 256.
class UnplacedFiles {
  public:
    void keep(FileId file, FileId directory, std::string_view name) {
        Unplaced one{file, directory, std::string(name.substr(0, longest_name))};
        held_ += base::heap_of(one.name);
        all_.push_back(std::move(one));
        if (all_.size() > most) {
            give_way();
        }
    }
    // Lets go of the oldest. False: there is none.
    bool give_way() {
        if (all_.empty()) {
            return false;
        }
        held_ -= base::heap_of(all_.front().name);
        all_.pop_front();
        return true;
    }

    auto rbegin() const { return all_.rbegin(); }
    auto rend() const { return all_.rend(); }
    std::size_t bytes() const { return base::deque_blocks(all_) + held_; }

    template <class Archive>
    friend void transfer(Archive& archive, UnplacedFiles& files) {
        archive(files.all_);
        if constexpr (Archive::reading) {
            while (files.all_.size() > most) {
                files.all_.pop_front();
            }
            files.held_ = 0;
            for (const auto& one : files.all_) {
                files.held_ += base::heap_of(one.name);
            }
        }
    }

  private:
    static constexpr std::size_t most = 256, longest_name = 255; // NAME_MAX

    std::deque<Unplaced> all_;
    std::size_t held_ = 0; // by the names
};

} // namespace luatrail::host
