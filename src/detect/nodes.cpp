#include "detect/nodes.hpp"

#include <algorithm>
#include <array>

namespace luatrail::detect {
namespace {

constexpr std::size_t most_nodes = 1024;

} // namespace

Node& Nodes::add(std::string_view name) {
    nodes_.emplace_front(name, shares_);
    index_.emplace(nodes_.front().name, nodes_.begin());
    return nodes_.front();
}

Node& Nodes::of(std::string_view name) {
    if (!nodes_.empty() && nodes_.front().name == name) {
        return nodes_.front();
    }
    if (const auto found = index_.find(name); found != index_.end()) {
        nodes_.splice(nodes_.begin(), nodes_, found->second);
        return nodes_.front();
    }
    auto& node = add(name);
    if (nodes_.size() > most_nodes) {
        drop_oldest();
    }
    return node;
}

void Nodes::fit() {
    const auto limit = shares_.whole.limit();
    if (shares_.whole.within()) {
        return;
    }
    const std::size_t goal = limit - limit / 64; // some room, so that not every event has to look who holds most
    while (shares_.whole.used() > goal && give_way(goal)) {
    }
}

bool Nodes::give_way(std::size_t goal) {
    std::array<Share, share_count> shares{};
    for (std::size_t i = 0; i < share_count; ++i) {
        shares[i] = static_cast<Share>(i);
    }
    const auto fullness = [this](Share share) {
        const auto& budget = shares_.of(share);
        return static_cast<double>(budget.used()) / static_cast<double>(budget.limit() + 1);
    };
    std::sort(shares.begin(), shares.end(), [&](Share a, Share b) { return fullness(a) > fullness(b); });
    if (std::any_of(shares.begin(), shares.end(), [&](Share share) { return give_way(share, goal); })) {
        return true;
    }
    if (nodes_.size() > 1) {
        drop_oldest();
        return true;
    }
    return false;
}

// A part of what the node with most of it holds.
bool Nodes::give_way(Share share, std::size_t goal) {
    const auto most = std::max_element(nodes_.begin(), nodes_.end(), [share](const Node& a, const Node& b) {
        return a.bytes(share) < b.bytes(share);
    });
    if (most == nodes_.end()) {
        return false;
    }
    const std::size_t enough = most->bytes(share) / 8 * 7;
    bool gone = false;
    while (shares_.whole.used() > goal && most->bytes(share) > enough && most->give_way(share)) {
        gone = true;
    }
    return gone;
}

void Nodes::drop_oldest() {
    ++evicted_nodes_;
    evicted_files_ += nodes_.back().files.evicted();
    evicted_processes_ += nodes_.back().processes.evicted();
    evicted_runs_ += nodes_.back().runs.evicted() + nodes_.back().runs.size();
    index_.erase(nodes_.back().name);
    nodes_.pop_back();
}

void Nodes::count(EngineCounters& counters) const {
    counters.evicted_nodes = evicted_nodes_;
    counters.evicted_files = evicted_files_;
    counters.evicted_processes = evicted_processes_;
    counters.evicted_runs = evicted_runs_;
    counters.processes = counters.files = 0;
    counters.process_bytes = counters.file_bytes = 0;
    for (const auto& node : nodes_) {
        counters.evicted_files += node.files.evicted();
        counters.evicted_processes += node.processes.evicted();
        counters.evicted_runs += node.runs.evicted();
        counters.processes += node.processes.size();
        counters.files += node.files.size();
        counters.process_bytes += node.processes.memory();
        counters.file_bytes += node.files.memory();
    }
    counters.nodes = nodes_.size();
}

void Nodes::begin_boot(Node& node) {
    node.begin_boot(shares_);
}

void Nodes::begin_boot() {
    for (auto& node : nodes_) {
        begin_boot(node);
    }
}

// ---- state

template <class Archive>
static void transfer(Archive& archive, Birth& birth) {
    archive(birth.time_ms, birth.pid, birth.parent, birth.process, birth.ran);
}

template <class Archive>
static void transfer(Archive& archive, Memfd& memfd) {
    archive(memfd.event, memfd.pid, memfd.descriptor, memfd.exe, memfd.uid);
}

template <class Archive>
static void transfer(Archive& archive, Copying& copying) {
    archive(copying.event, copying.by, copying.pid, copying.parent, copying.uid, copying.exe, copying.what,
            copying.target, copying.profile, copying.others);
}

template <class Archive>
static void transfer(Archive& archive, MovedDirectory& moved) {
    auto& change = moved.change;
    archive(moved.event, change.kind, change.event, change.path, change.path_uncertain, change.by, change.by_pid,
            change.by_exe, change.by_uid, moved.own_namespace);
}

template <class Archive>
static void transfer(Archive& archive, ServiceStart& start) {
    archive(start.event, start.unit);
}

template <class Archive>
static void transfer(Archive& archive, Login& login) {
    archive(login.event, login.session, login.address, login.terminal, login.account);
}

template <class Archive>
static void transfer(Archive& archive, KnownInterpreter& known) {
    archive(known.id, known.profile, known.last_ms);
}

template <class Archive>
static void transfer(Archive& archive, Impostor& impostor) {
    archive(impostor.event, impostor.process);
}

void Nodes::save(base::Packer& out) const {
    out.number(nodes_.size());
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) { // the least recently used first
        out(node->name, node->births, node->memfds, node->copies, node->readings, node->lost_readings,
            node->moved_directories, node->service_starts, node->logins, node->interpreters, node->rules_known,
            node->newest_ms, node->lost_ms);
        node->known_files.save(out);
        node->programs.save(out);
        out(node->devices, node->impostors);
        node->runs.save(out);
        node->processes.save(out);
        node->files.save(out);
    }
}

void Nodes::load(base::Unpacker& in) {
    try {
        nodes_.clear();
        index_.clear();
        for (auto left = in.size(); left > 0; --left) {
            std::string name;
            in(name);
            if (index_.contains(name)) {
                throw base::UnpackError("a node is there twice");
            }
            auto& node = add(name);
            in(node.births, node.memfds, node.copies, node.readings, node.lost_readings, node.moved_directories,
               node.service_starts, node.logins, node.interpreters, node.rules_known, node.newest_ms, node.lost_ms);
            node.known_files.load(in);
            node.programs.load(in);
            in(node.devices, node.impostors);
            node.runs.load(in);
            node.processes.load(in);
            node.files.load(in);
        }
    } catch (...) {
        nodes_.clear();
        index_.clear();
        throw;
    }
}

} // namespace luatrail::detect
