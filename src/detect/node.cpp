#include "detect/node.hpp"

#include <algorithm>
#include <array>

namespace luatrail::detect {

Node::Node(std::string_view node_name, Shares& shares)
    : name(node_name), processes(shares.processes), files(shares.files), runs(shares.runs), births(shares.traces),
      memfds(shares.traces), copies(shares.traces), readings(shares.traces), lost_readings(shares.traces),
      moved_directories(shares.traces), service_starts(shares.traces), logins(shares.traces),
      interpreters(shares.traces), impostors(shares.traces), programs(shares.traces), known_files(shares.traces),
      own(shares.nodes,
          base::list_node<Node>() + base::heap_of(name) + base::hash_node<std::string_view, void*>(true)) {}

std::optional<LoginInfo> Node::login_of(std::optional<std::uint32_t> session, const audit::EventId& at) const {
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

std::vector<Run*> Node::runs_above(host::ProcessRef who) {
    constexpr std::size_t generations = 64; // enough for any honest tree, an end for a forged one
    std::vector<Run*> found;
    if (runs.empty()) {
        return found;
    }
    for (std::size_t climbed = 0; who && climbed < generations; who = processes.above(who), ++climbed) {
        const auto here = runs.of(who);
        found.insert(found.end(), here.begin(), here.end());
    }
    return found;
}

void Node::begin_boot(Shares& shares) {
    processes = host::ProcessTable(shares.processes);
    runs.clear();
    births.clear();
    memfds.clear();
    service_starts.clear();
    logins.clear();
    impostors.clear();
    programs.clear();
    known_files.clear(); // devices may be numbered anew
    devices = {};
}

std::size_t Node::bytes(Share share) const {
    switch (share) {
    case Share::files:
        return files.memory();
    case Share::processes:
        return processes.memory();
    case Share::runs:
        return runs.bytes();
    case Share::traces:
        return births.bytes() + memfds.bytes() + copies.bytes() + readings.bytes() + lost_readings.bytes() +
               moved_directories.bytes() + service_starts.bytes() + logins.bytes() + interpreters.bytes() +
               known_files.bytes() + impostors.bytes() + programs.bytes();
    case Share::nodes:
        break;
    }
    return own.bytes();
}

bool Node::give_way(Share share) {
    switch (share) {
    case Share::files:
        return files.give_way();
    case Share::processes:
        return processes.give_way();
    case Share::runs:
        return runs.give_way();
    case Share::traces:
        return give_way_of_traces();
    case Share::nodes:
        break;
    }
    return false;
}

// The oldest of what takes most.
bool Node::give_way_of_traces() {
    const std::array bytes{births.bytes(),      memfds.bytes(),         copies.bytes(),   interpreters.bytes(),
                           readings.bytes(),    service_starts.bytes(), logins.bytes(),   moved_directories.bytes(),
                           known_files.bytes(), impostors.bytes(),      programs.bytes(), lost_readings.bytes()};
    switch (std::max_element(bytes.begin(), bytes.end()) - bytes.begin()) {
    case 0:
        return births.give_way();
    case 1:
        return memfds.give_way();
    case 2:
        return copies.give_way();
    case 3:
        return interpreters.give_way();
    case 4:
        return readings.give_way();
    case 5:
        return service_starts.give_way();
    case 6:
        return logins.give_way();
    case 7:
        return moved_directories.give_way();
    case 8:
        return known_files.give_way();
    case 9:
        return impostors.give_way();
    case 11:
        return lost_readings.give_way();
    default:
        return programs.give_way();
    }
}

} // namespace luatrail::detect
