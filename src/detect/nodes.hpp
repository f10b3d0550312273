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
    explicit Nodes(std::size_t memory) : memory_(memory) {}

    // Known, or new; the least recently used goes when there are too many.
    Node& of(std::string_view name);
    // Until all tables together, with `more` bytes elsewhere, are within the bound.
    void shrink(std::size_t more);
    std::size_t memory() const;
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
    std::size_t process_capacity() const;

    std::size_t memory_;
    std::list<Node> nodes_; // most recently used first
    std::unordered_map<std::string_view, std::list<Node>::iterator> index_;
    std::uint64_t evicted_nodes_ = 0, evicted_files_ = 0, evicted_processes_ = 0; // with their nodes
};

} // namespace luatrail::detect
