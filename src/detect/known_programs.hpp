// Which file ran under which name: bounded, and charged to a budget.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "luatrail/base/budget.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/host/actor.hpp"

namespace luatrail::detect {

class KnownPrograms {
  public:
    static constexpr std::size_t most = 512;

    explicit KnownPrograms(base::Budget& budget) : charge_(budget) { measure(); }

    // A file runs under a name. True: within the last hour it ran under another one, which it keeps. An inode may be
    // another file's after an upgrade.
    bool ran_as_another(const host::FileId& id, std::string_view exe, std::int64_t now_ms) {
        constexpr std::int64_t remembered_ms = 3'600'000;
        constexpr std::size_t longest = 4096;
        const auto found = all_.find(id);
        if (found != all_.end() && found->second.exe == exe) {
            found->second.last_ms = std::max(found->second.last_ms, now_ms);
            return false;
        }
        if (found != all_.end() && now_ms - found->second.last_ms < remembered_ms) {
            return true;
        }
        forget(id);
        if (all_.size() >= most) {
            give_way();
        }
        text_bytes_ += base::heap_of(
            all_.emplace(id, Known{std::string(exe.substr(0, longest)), now_ms, false}).first->second.exe);
        measure();
        return false;
    }

    // True once for each file that runs: whether to look at its content.
    bool ask_once(const host::FileId& id) {
        const auto found = all_.find(id);
        return found != all_.end() && !std::exchange(found->second.asked, true);
    }

    // It was removed, or renamed.
    void forget(const host::FileId& id) {
        if (const auto found = all_.find(id); found != all_.end()) {
            text_bytes_ -= base::heap_of(found->second.exe);
            all_.erase(found);
            measure();
        }
    }

    // Lets go of the one that ran longest ago. False: there is none.
    bool give_way() {
        const auto oldest = std::min_element(
            all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.second.last_ms < b.second.last_ms; });
        if (oldest == all_.end()) {
            return false;
        }
        forget(host::FileId(oldest->first));
        return true;
    }

    void clear() {
        all_ = {};
        text_bytes_ = 0;
        measure();
    }
    std::size_t bytes() const { return charge_.bytes(); }

    void save(base::Packer& out) const {
        const std::map<host::FileId, Known> sorted(all_.begin(), all_.end()); // the same facts are the same bytes
        out.number(sorted.size());
        for (const auto& [id, known] : sorted) {
            out(id, known.exe, known.last_ms);
        }
    }
    void load(base::Unpacker& in) {
        clear();
        for (auto left = in.size(); left > 0; --left) {
            host::FileId id;
            std::string exe;
            std::int64_t last_ms = 0;
            in(id, exe, last_ms);
            ran_as_another(id, exe, last_ms);
        }
    }

  private:
    struct Known {
        std::string exe;
        std::int64_t last_ms = 0;
        bool asked = false; // not kept over a restart
    };
    void measure() {
        charge_.resize(text_bytes_ + all_.size() * base::hash_node<host::FileId, Known>() + base::hash_buckets(all_));
    }

    std::unordered_map<host::FileId, Known> all_;
    std::size_t text_bytes_ = 0;
    base::Charge charge_;
};

} // namespace luatrail::detect
