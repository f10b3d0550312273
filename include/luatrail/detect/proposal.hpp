// Expectations that somebody could have, for a person to review: from an inventory, or from what ran.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "luatrail/detect/expectation.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::detect {

struct Proposal {
    Rule rule;
    std::vector<std::string> why; // lines of its comment
};

// One for each packaged way of running Lua: a unit or a cron entry that runs an interpreter or a Lua script, and each
// packaged Lua script by itself. In the order of their ids.
std::vector<Proposal> propose(const inventory::Inventory& inventory);

// What ran, gathered from findings of an engine with an empty baseline.
class Learner : public FindingSink {
  public:
    void on_finding(const Finding& finding) override;

    // Those that ran from a file, unchained, in the order of their ids.
    std::vector<Proposal> proposals() const;
    // What was left out, and why: "lua5.4 by www-data: /tmp/x.lua (2 runs): a script-drop before it".
    std::vector<std::string> left_out() const;

  private:
    struct Key {
        std::string exe, user, script, code, parent;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Seen {
        std::uint64_t runs = 0;
        std::int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;
        std::set<std::int64_t> days;
        std::set<std::string> against;  // what speaks against it
        std::set<std::string> followed; // what came after it
        std::optional<std::string> package, unit;
    };
    std::map<Key, Seen> seen_;
};

// As a file that Baseline::load() takes; a proposal's reasons stand as comments above it.
std::string to_toml(const std::vector<Proposal>& proposals, const std::vector<std::string>& head);

// Why an entry would hide an attack; empty when it would not: no user and no script, a script where anybody may write,
// any program.
std::string too_wide(const Rule& rule);

} // namespace luatrail::detect
