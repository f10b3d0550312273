// What the memory of an engine is shared among: one budget for all nodes together, with a part for each kind of table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "luatrail/base/budget.hpp"

namespace luatrail::detect {

enum class Share : std::uint8_t {
    files,
    processes,
    runs,
    traces, // the latest births, memfds, copies, starts of services, logins, interpreters, known files and programs
    nodes,  // each one's own, and what serves them all
};
inline constexpr std::size_t share_count = 5;

// A share may be exceeded while others leave room; when all is used, what exceeds its share most gives way first.
struct Shares {
    explicit Shares(std::size_t limit)
        : whole(limit), files(whole, limit / 2), processes(whole, limit / 8 * 3), runs(whole, limit / 16),
          traces(whole, limit / 32), nodes(whole, limit / 32) {}

    base::Budget whole;
    base::Budget files, processes, runs, traces, nodes;

    const base::Budget& of(Share share) const {
        switch (share) {
        case Share::files:
            return files;
        case Share::processes:
            return processes;
        case Share::runs:
            return runs;
        case Share::traces:
            return traces;
        case Share::nodes:
            break;
        }
        return nodes;
    }
};

} // namespace luatrail::detect
