// The names of one node's file system, as far as the log shows them: a tree of components.
//
// A directory's rename moves one node, and with it every name below. A node lives while something holds it: a child, a
// file that has the name, a directory whose inode is known to be there. Private to this room.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "luatrail/base/pack.hpp"
#include "luatrail/host/actor.hpp"

namespace luatrail::host {

class PathTree {
  public:
    struct Node {
        Node* parent = nullptr; // none: the root, or a node that lost its place
        std::string name;
        std::optional<FileId> id; // what was last seen under this name
        bool certain = true;      // of id: false when the place was guessed from cwd
        std::uint32_t holds = 0;
        std::size_t hash = 0;
        Node* next_in_bucket = nullptr;
        std::list<Node>::iterator self;
    };

    PathTree();
    PathTree(const PathTree&) = delete;
    PathTree& operator=(const PathTree&) = delete;

    Node* root() { return &nodes_.front(); }
    Node* child(const Node* parent, std::string_view name) const;
    // Of an absolute normal path; nothing when no such name is known.
    Node* locate(std::string_view path);

    // Gets or makes. The caller holds the result, or gives it back with hold and drop.
    Node* make(Node* parent, std::string_view name);
    Node* make(std::string_view path);

    void hold(Node* node) { ++node->holds; }
    void drop(Node* node);

    // Gives the node (and what is below) a new place; what was there loses its own.
    void move(Node* node, Node* new_parent, std::string_view name);
    // Takes the node out of the tree. Names below it no longer have a path.
    void detach(Node* node);

    // Absolute; empty for a node without a place, or deeper or longer than any path that the kernel takes.
    std::string path(const Node* node) const;

    void clear();

    // The root's number is 0, the others' follow in an order of their own.
    using Numbers = std::unordered_map<const Node*, std::uint32_t>;
    Numbers save(base::Packer& out) const;
    // In place of all that is here; the nodes by number. Only the root and parents are held: whoever else holds one
    // says so. Throws base::UnpackError.
    std::vector<Node*> load(base::Unpacker& in);

    // Of others that keep nodes.
    static void save_nodes(base::Packer& out, const std::vector<Node*>& nodes, const Numbers& numbers);
    // The result holds each node.
    std::vector<Node*> load_nodes(base::Unpacker& in, const std::vector<Node*>& nodes);

    std::size_t bytes() const;
    std::size_t node_bytes() const; // bytes() without the index

  private:
    void insert(Node* node);
    void remove(Node* node);
    void resize_index(std::size_t buckets);

    std::list<Node> nodes_; // the root in front
    std::vector<Node*> buckets_;
    std::size_t name_bytes_ = 0;
};

} // namespace luatrail::host
