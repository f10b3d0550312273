// What the profiles say of a program's path, remembered: most execs are of a few programs, and each answer costs dozens
// of globs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "luatrail/base/budget.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

struct Program {
    bool interpreter = false, shell = false, loader = false, downloader = false;
    bool copies = false;              // a copier or a downloader
    bool manager = false;             // of packages
    const Profile* telling = nullptr; // a server whose children show its Lua; lives as long as the profiles
};

class Programs {
  public:
    explicit Programs(base::Budget& budget) : charge_(budget) {}

    Program of(std::string_view exe, const ProfileSet& profiles) {
        constexpr std::size_t most = 4096, longest = 1024;
        if (const auto found = known_.find(exe); found != known_.end()) {
            return found->second;
        }
        const Program made{.interpreter = profiles.may_match(exe),
                           .shell = profiles.is(ProgramKind::shell, exe),
                           .loader = profiles.is(ProgramKind::loader, exe),
                           .downloader = profiles.is(ProgramKind::downloader, exe),
                           .copies = profiles.is(ProgramKind::downloader, exe) || profiles.is(ProgramKind::copier, exe),
                           .manager = profiles.is(ProgramKind::package_manager, exe),
                           .telling = profiles.telling(exe)};
        if (exe.size() > longest) {
            return made;
        }
        if (known_.size() >= most) {
            clear(); // names without end: an attacker's, or a build's
        }
        text_bytes_ += base::heap_of(known_.emplace(exe, made).first->first);
        measure();
        return made;
    }

    void clear() {
        known_ = {};
        text_bytes_ = 0;
        measure();
    }

  private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    void measure() {
        charge_.resize(text_bytes_ + known_.size() * base::hash_node<std::string, Program>() +
                       base::hash_buckets(known_));
    }

    std::unordered_map<std::string, Program, TextHash, std::equal_to<>> known_;
    std::size_t text_bytes_ = 0;
    base::Charge charge_;
};

} // namespace luatrail::detect
