// Expectations that somebody could have, for a person to review: from an inventory, or from what ran. Facts; the file
// with its comments is the report's (report/proposal_words).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "luatrail/detect/baseline.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/inventory/inventory.hpp"

namespace luatrail::detect {

// What a proposal rests on.
struct UnitStart { // a unit starts it
    std::string unit, path, command;
    std::optional<inventory::Package> package; // that brought the unit
};
struct CronStart { // a cron entry starts it
    std::string path, user, command;
};
struct PackagedScript {
    inventory::Package package;
    bool altered = false; // known not to be as packaged
};
struct HostProgram { // a program for another purpose, with Lua inside, and the Lua that packages bring for it
    inventory::Package package;
    std::string program; // "nmap"
};
struct SeenRuns { // in logs
    std::uint64_t runs = 0;
    std::int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;
    std::size_t days = 0;
    bool inline_code = false;
    std::optional<std::string> package, unit; // of the script
    std::set<ChainKind> followed;             // what came after it
};

struct Proposal {
    Rule rule; // without `because`
    std::variant<UnitStart, CronStart, PackagedScript, HostProgram, SeenRuns> basis;

    // Nothing says who runs it: anybody may.
    bool for_anybody() const { return !rule.user; }
};

// One for each packaged way of running Lua: a unit or a cron entry that runs an interpreter or a Lua script; each
// packaged Lua script by itself, for those whom a unit or a cron entry runs it as, else for anybody; each program with
// Lua inside, for what packages bring in a directory of its name. In the order of their ids.
std::vector<Proposal> propose(const inventory::Inventory& inventory);

// What speaks against expecting a run.
enum class Objection : std::uint8_t {
    no_file,     // holds its code
    long_code,   // on its command line
    several,     // scripts in one run, which no single pattern names
    not_utf8,    // which a baseline's strings are
    nobody_known // the log does not say who ran it, or with what
};

// Runs that no proposal is made of.
struct LeftOut {
    std::string exe, user, script; // "(stdin)" where no file holds the code
    std::uint64_t runs = 0;
    std::set<ChainKind> chained; // drops and memory artifacts
    std::set<Objection> objections;
};

// What ran, gathered from findings of an engine with an empty baseline.
class Learner : public FindingSink {
  public:
    void on_finding(const Finding& finding) override;

    // Those that ran from a file, unchained, in the order of their ids.
    std::vector<Proposal> proposals() const;
    std::vector<LeftOut> left_out() const;

  private:
    struct Key {
        std::string exe, user, script, code, parent;
        std::vector<std::string> modules;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Seen {
        SeenRuns facts;
        std::set<std::int64_t> days;
        std::set<ChainKind> chained;
        std::set<Objection> objections;
    };
    static Key key_of(const Finding& finding);
    std::map<Key, Seen> seen_;
};

// Why an entry would hide an attack.
enum class TooWide : std::uint8_t {
    open_executable, // programs where anybody may write
    open_script,     // scripts where anybody may write
    any_code,        // on the command line
    any_module,      // the working directory's too
    any_input,       // code that comes in by standard input
    any_run,         // names neither a user nor a script
    any_code_of_user // names a user, but no script
};
std::optional<TooWide> too_wide(const Rule& rule);

} // namespace luatrail::detect
