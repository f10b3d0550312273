// Which file a path stood for when it was last opened as what somebody expects: bounded, and charged to a budget.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "luatrail/base/budget.hpp"
#include "luatrail/host/actor.hpp"

namespace luatrail::base {
class Packer;
class Unpacker;
} // namespace luatrail::base

namespace luatrail::detect {

struct KnownFile {
    host::FileId id;
    std::int64_t last_ms = 0;            // when it was last met
    std::optional<host::FileId> other{}; // what lies there now, by the latest who opened it
    std::int64_t other_since_ms = 0;
};

class KnownFiles {
  public:
    static constexpr std::size_t most = 256;

    explicit KnownFiles(base::Budget& budget) : charge_(budget) { measure(); }

    // What is met at a path, at that time. True: another file than is known. It is taken for the right one after
    // `patience_ms` of being met, because nobody changed the path back.
    bool is_other(std::string_view path, const host::FileId& id, std::int64_t now_ms, std::int64_t patience_ms);

    // Something was made, renamed or removed at that path: what is known of it, and below it, holds no longer, unless
    // that was on another device: then it was another file of that name.
    void changed(std::string_view path, std::uint64_t dev);
    // Something may have been put there unseen, on the device where the known file lies: the next file of that device
    // is the right one. Of the paths that `replaced` says so of.
    void may_have_changed(const std::function<bool(std::string_view)>& replaced);
    // Whether a path that is known has a part of that name; true may be wrong. So that not every change of a file has
    // to be compared.
    bool may_hold(std::string_view part) const { return !all_.empty() && parts_.test(bit_of(part)); }

    std::optional<host::FileId> find(std::string_view path) const;
    bool empty() const { return all_.empty(); }
    std::size_t size() const { return all_.size(); }
    std::size_t bytes() const { return charge_.bytes(); }
    void clear();
    // Lets go of the one that was met longest ago. False: there is none.
    bool give_way();

    void save(base::Packer& out) const;
    void load(base::Unpacker& in); // in place of all that is here

  private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    using Table = std::unordered_map<std::string, KnownFile, TextHash, std::equal_to<>>;
    void keep(std::string path, KnownFile known);
    void forget(Table::iterator one);
    void note_parts(std::string_view path);
    void measure();

    static constexpr std::size_t part_bits = 4096;
    static std::size_t bit_of(std::string_view part) { return TextHash{}(part) % part_bits; }

    Table all_;
    std::bitset<part_bits> parts_; // of the names in the paths
    std::size_t text_bytes_ = 0;
    base::Charge charge_;
};

} // namespace luatrail::detect
