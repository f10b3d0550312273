// What the engine knows of one node (one host, by the `node=` of its records).
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "luatrail/base/budget.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/host/file_ledger.hpp"
#include "luatrail/host/process_table.hpp"

namespace luatrail::detect {

// A run of Lua that later events may still raise.
struct Run {
    host::ProcessRef process;
    std::uint32_t pid = 0;
    std::optional<host::FileId> script;
    std::optional<std::string> script_path, interpreter_path;
    Finding finding; // the latest of the run
};

// A process that came up lately: to tell `producer | lua` from a `lua` that a person types into.
struct Birth {
    std::int64_t time_ms = 0;
    std::uint32_t pid = 0, parent = 0;
};

// A memfd that a process made: its descriptor may be run later.
struct Memfd {
    audit::EventId event;
    std::uint32_t pid = 0;
    std::int64_t descriptor = -1;
    std::optional<std::string> exe;
    std::optional<std::uint32_t> uid;
};

// A program that was told to copy, or to fetch, a file that is named like an interpreter.
struct Copying {
    audit::EventId event; // its exec
    host::ProcessRef by;
    std::uint32_t pid = 0, parent = 0;
    std::optional<std::uint32_t> uid;
    std::string exe;    // "/usr/bin/cp"
    std::string what;   // "/usr/bin/luajit"
    std::string target; // its last word, absolute: the copy, or the folder where it goes
    std::string profile;
};

// systemd said that it started a unit.
struct ServiceStart {
    audit::EventId event;
    std::string unit;
};

// A login of an audit session, as PAM's records tell.
struct Login {
    audit::EventId event;
    std::uint32_t session = 0;
    std::optional<std::string> address, terminal, account;
};

// A file that ran under an interpreter's name: it is one under any name.
struct KnownInterpreter {
    host::FileId id;
    std::string profile;
    std::int64_t last_ms = 0; // when it last ran under that name
};

// What the bound of all nodes together is shared among.
enum class Share : std::uint8_t {
    processes,
    files,
    nodes, // each one's own
};
inline constexpr std::size_t share_count = 3;

// One for all nodes.
struct Shares {
    explicit Shares(std::size_t limit)
        : whole(limit), processes(whole, limit / 8 * 3), files(whole, limit / 16 * 9), nodes(whole, limit / 16) {}

    base::Budget whole;
    base::Budget processes, files, nodes;

    const base::Budget& of(Share share) const {
        return share == Share::processes ? processes : share == Share::files ? files : nodes;
    }
};

struct Node {
    std::string name;
    host::ProcessTable processes;
    host::FileLedger files;
    std::deque<Run> runs; // oldest first
    std::unordered_multimap<std::uint32_t, Run*>
        runs_by_slot;         // of their processes: to find the runs among a process's ancestors
    std::deque<Birth> births; // oldest first
    std::deque<Memfd> memfds; // oldest first
    std::deque<Copying> copies;
    std::deque<ServiceStart> service_starts;
    std::deque<Login> logins;
    std::deque<KnownInterpreter> interpreters;
    std::int64_t newest_ms = INT64_MIN;
    std::int64_t lost_ms = INT64_MIN; // newest event time when records were last known to be lost

    base::Charge own; // for itself, its name and its place in the index

    Node(std::string_view node_name, Shares& shares)
        : name(node_name), processes(shares.processes), files(shares.files),
          own(shares.nodes,
              base::list_node<Node>() + base::heap_of(name) + base::hash_node<std::string_view, void*>(true)) {}

    void add_run(Run run) {
        runs.push_back(std::move(run));
        runs_by_slot.emplace(runs.back().process.slot, &runs.back()); // a deque's elements stay where they are
    }

    // Of a few the latest stay.
    template <class T>
    static void keep(std::deque<T>& all, T one, std::size_t most = 256) {
        if (all.size() >= most) {
            all.pop_front();
        }
        all.push_back(std::move(one));
    }

    // What was known of a session's login at the time of an event.
    std::optional<LoginInfo> login_of(std::optional<std::uint32_t> session, const audit::EventId& at) const {
        std::optional<LoginInfo> known;
        for (const auto& login : logins) {
            if (session && login.session == *session && login.event < at) {
                // sudo and su begin a PAM session in the same audit session: what the first one knew stays.
                known = known.value_or(LoginInfo{});
                known->address = known->address ? known->address : login.address;
                known->terminal = known->terminal ? known->terminal : login.terminal;
                known->account = known->account ? known->account : login.account;
            }
        }
        return known;
    }

    bool has_run(host::ProcessRef process) const {
        const auto [first, last] = runs_by_slot.equal_range(process.slot);
        for (auto entry = first; entry != last; ++entry) {
            if (entry->second->process == process) {
                return true;
            }
        }
        return false;
    }

    void forget_oldest_run() {
        const auto [first, last] = runs_by_slot.equal_range(runs.front().process.slot);
        for (auto entry = first; entry != last; ++entry) {
            if (entry->second == &runs.front()) {
                runs_by_slot.erase(entry);
                break;
            }
        }
        runs.pop_front();
    }

    // The runs that `who` is or descends from, nearest first.
    std::vector<Run*> runs_above(host::ProcessRef who) {
        constexpr std::size_t generations = 64; // enough for any honest tree, an end for a forged one
        std::vector<Run*> found;
        if (runs.empty()) {
            return found;
        }
        for (std::size_t climbed = 0; who && climbed < generations; who = processes.above(who), ++climbed) {
            const auto [first, last] = runs_by_slot.equal_range(who.slot);
            for (auto entry = first; entry != last; ++entry) {
                if (entry->second->process == who) {
                    found.push_back(entry->second);
                }
            }
        }
        return found;
    }

    // What it holds of a share.
    std::size_t bytes(Share share) const {
        return share == Share::processes ? processes.memory() : share == Share::files ? files.memory() : own.bytes();
    }
    // Lets go of what is worth least of it. False: nothing is left that could go.
    bool give_way(Share share) {
        return share == Share::processes ? processes.give_way() : share == Share::files && files.give_way();
    }
};

} // namespace luatrail::detect
