// The nodes that an engine follows, within one bound of memory.
#pragma once

#include <cstddef>
#include <list>
#include <string_view>
#include <unordered_map>

#include "detect/node.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

class Nodes {
  public:
    // Five eighths of the memory are for the tables: docs/design.md, "Memory".
    explicit Nodes(std::size_t memory) : shares_(memory / 2) {}

    // Known, or new; the least recently used goes when there are too many.
    Node& of(std::string_view name);
    // After each event: lets tables give way until all together are within the bound.
    // First the share that is furthest above what it is meant to be, of it the node that holds most; where nothing more
    // can go, the least recently used node.
    void fit();
    std::size_t memory() const { return shares_.whole.used(); }
    std::size_t limit() const { return shares_.whole.limit(); }
    // For what serves all nodes.
    base::Budget& common() { return shares_.nodes; }
    // What was given up, into the counters.
    void count(EngineCounters& counters) const;

    // Pids start anew, and what lay in memory is gone.
    void begin_boot(Node& node);
    void begin_boot(); // of all

    void save(base::Packer& out) const;
    // In place of all that is here. Throws base::UnpackError, and is empty then.
    void load(base::Unpacker& in);

  private:
    Node& add(std::string_view name);
    void drop_oldest();
    bool give_way(std::size_t goal);
    bool give_way(Share share, std::size_t goal);

    Shares shares_;
    std::list<Node> nodes_; // most recently used first
    std::unordered_map<std::string_view, std::list<Node>::iterator> index_;
    std::uint64_t evicted_nodes_ = 0, evicted_files_ = 0, evicted_processes_ = 0,
                  evicted_runs_ = 0; // with their nodes
};

} // namespace luatrail::detect
