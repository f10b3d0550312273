// What the profiles say of a program's path, remembered: most execs are of a few programs, and each answer costs dozens
// of globs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

struct Program {
    bool interpreter = false, shell = false, loader = false, downloader = false;
    bool copies = false;              // a copier or a downloader
    const Profile* telling = nullptr; // a server whose children tell of its Lua; lives as long as the profiles
};

class Programs {
  public:
    const Program& of(std::string_view exe, const ProfileSet& profiles) {
        constexpr std::size_t most = 4096;
        if (const auto found = known_.find(exe); found != known_.end()) {
            return found->second;
        }
        if (known_.size() >= most) {
            known_.clear(); // names without end: an attacker's, or a build's
        }
        return known_
            .emplace(exe, Program{.interpreter = profiles.may_match(exe),
                                  .shell = profiles.is(ProgramKind::shell, exe),
                                  .loader = profiles.is(ProgramKind::loader, exe),
                                  .downloader = profiles.is(ProgramKind::downloader, exe),
                                  .copies = profiles.is(ProgramKind::downloader, exe) ||
                                            profiles.is(ProgramKind::copier, exe),
                                  .telling = profiles.telling(exe)})
            .first->second;
    }

    void clear() { known_.clear(); }

  private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, Program, TextHash, std::equal_to<>> known_;
};

} // namespace luatrail::detect
