// What was handed to libauparse and has not come back yet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "luatrail/audit/record.hpp"

namespace luatrail::source {

// libauparse loses some records without a word: an EOE behind a PROCTITLE, an AVC with very many permissions. The
// ledger keeps each fed line until it is delivered, so that nothing is lost and so that what libauparse holds is
// bounded. Lines of one event are kept in the order of the feed.
class FeedLedger {
  public:
    // Called with a line that libauparse should have delivered earlier than the one that it delivers now.
    using Lost = std::function<void(std::string_view)>;

    void add(std::string_view node, const audit::EventId& id, std::string_view line);

    // A delivered line: `enriched` is what stood behind its 0x1D; its data() is null when it had none.
    struct Delivered {
        std::string_view raw;
        std::string_view enriched;
    };

    // False when the line was not outstanding: it counts as delivered already. Lines of the same event that were fed
    // before it are passed to `lost` and forgotten.
    bool settle(std::string_view node, const audit::EventId& id, const Delivered& delivered, const Lost& lost);

    // Passes all outstanding lines of one event to `lost`.
    void give_up(std::string_view node, const audit::EventId& id, const Lost& lost);

    // The same for all events before `time_ms`, in the order in which they were begun.
    void give_up_before(std::int64_t time_ms, const Lost& lost);

    std::size_t events() const { return events_.size(); }
    std::size_t bytes() const { return bytes_; }

  private:
    struct Key {
        audit::EventId id;
        std::string node;
    };
    struct KeyView {
        const audit::EventId& id;
        std::string_view node;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const KeyView& key) const noexcept {
            return std::hash<audit::EventId>{}(key.id) ^ std::hash<std::string_view>{}(key.node);
        }
        std::size_t operator()(const Key& key) const noexcept { return (*this)(KeyView{key.id, key.node}); }
    };
    struct Equal {
        using is_transparent = void;
        template <class Left, class Right>
        bool operator()(const Left& left, const Right& right) const noexcept {
            return left.id == right.id && std::string_view(left.node) == std::string_view(right.node);
        }
    };
    struct Outstanding {
        std::uint64_t begun = 0;
        std::string lines;    // each with a newline
        std::size_t done = 0; // bytes of `lines` that are settled
    };
    using Events = std::unordered_map<Key, Outstanding, Hash, Equal>;

    void forget(Events::iterator event);

    Events events_;
    std::size_t bytes_ = 0;
    std::uint64_t begun_ = 0;
};

} // namespace luatrail::source
