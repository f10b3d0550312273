#include "host/path_tree.hpp"

#include <algorithm>
#include <functional>

#include "luatrail/base/heap.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::host {

namespace {

constexpr std::size_t least_buckets = 64;
constexpr std::size_t sparse = 8; // an index with fewer nodes than buckets by so much is halved

std::size_t hash_of(const PathTree::Node* parent, std::string_view name) {
    return std::hash<std::string_view>()(name) ^ (std::hash<const void*>()(parent) * 0x9e3779b97f4a7c15ULL);
}

// Calls step(component) for each component of a normal path; stops when it says false.
template <typename Step>
void each_component(std::string_view path, Step step) {
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        if (end > at && !step(path.substr(at, end - at))) {
            return;
        }
        at = end + 1;
    }
}

} // namespace

PathTree::PathTree() {
    clear();
}

void PathTree::clear() {
    nodes_.clear();
    std::vector<Node*>(least_buckets).swap(buckets_);
    name_bytes_ = 0;
    nodes_.emplace_front();
    nodes_.front().self = nodes_.begin();
    nodes_.front().holds = 1; // its own
}

PathTree::Node* PathTree::child(const Node* parent, std::string_view name) const {
    if (parent == nullptr) {
        return nullptr; // names without a place are in no directory
    }
    const std::size_t hash = hash_of(parent, name);
    Node* node = buckets_[hash & (buckets_.size() - 1)];
    while (node != nullptr && (node->hash != hash || node->parent != parent || node->name != name)) {
        node = node->next_in_bucket;
    }
    return node;
}

PathTree::Node* PathTree::locate(std::string_view path) {
    Node* node = root();
    each_component(path, [&](std::string_view name) {
        node = child(node, name);
        return node != nullptr;
    });
    return node;
}

PathTree::Node* PathTree::make(Node* parent, std::string_view name) {
    if (Node* known = child(parent, name)) {
        return known;
    }
    Node* node = &nodes_.emplace_back();
    node->self = std::prev(nodes_.end());
    node->name = name;
    node->parent = parent;
    name_bytes_ += base::heap_of(node->name);
    hold(parent);
    insert(node);
    return node;
}

PathTree::Node* PathTree::make(std::string_view path) {
    Node* node = root();
    each_component(path, [&](std::string_view name) {
        node = make(node, name);
        return true;
    });
    return node;
}

void PathTree::drop(Node* node) {
    while (node != nullptr && --node->holds == 0) {
        Node* parent = node->parent;
        remove(node);
        name_bytes_ -= base::heap_of(node->name);
        nodes_.erase(node->self);
        if (buckets_.size() > least_buckets && nodes_.size() < buckets_.size() / sparse) {
            resize_index(buckets_.size() / 2);
        }
        node = parent; // which loses a child
    }
}

void PathTree::move(Node* node, Node* new_parent, std::string_view name) {
    std::size_t depth = 0;
    const Node* above = new_parent;
    while (above != node && above->parent != nullptr && depth <= path_bytes / 2) {
        above = above->parent;
        ++depth;
    }
    if (above == node || depth > path_bytes / 2) {
        return; // a directory below itself, or deeper than a name can be: the log lies
    }
    hold(node);
    hold(new_parent);
    if (Node* there = child(new_parent, name); there != nullptr && there != node) {
        detach(there);
    }
    if (child(new_parent, name) != node) {
        detach(node);
        name_bytes_ -= base::heap_of(node->name);
        node->name = std::string(name);
        name_bytes_ += base::heap_of(node->name);
        node->parent = new_parent;
        hold(new_parent);
        insert(node);
    }
    drop(new_parent);
    drop(node);
}

void PathTree::detach(Node* node) {
    if (node->parent != nullptr) {
        Node* parent = node->parent;
        remove(node);
        node->parent = nullptr;
        drop(parent);
    }
}

std::string PathTree::path(const Node* node) const {
    std::size_t length = 0;
    const Node* top = node;
    for (; top->parent != nullptr; top = top->parent) {
        length += 1 + top->name.size();
        if (length > path_bytes) {
            return {};
        }
    }
    if (top != &nodes_.front()) {
        return {};
    }
    if (length == 0) {
        return "/";
    }
    std::string text(length, '/');
    for (; node->parent != nullptr; node = node->parent) {
        length -= node->name.size();
        text.replace(length, node->name.size(), node->name);
        --length;
    }
    return text;
}

std::size_t PathTree::bytes() const {
    return node_bytes() + base::heap_of(buckets_);
}

std::size_t PathTree::node_bytes() const {
    return nodes_.size() * base::list_node<Node>() + name_bytes_;
}

void PathTree::insert(Node* node) {
    if (nodes_.size() > buckets_.size()) {
        resize_index(buckets_.size() * 2);
    }
    node->hash = hash_of(node->parent, node->name);
    Node*& bucket = buckets_[node->hash & (buckets_.size() - 1)];
    node->next_in_bucket = bucket;
    bucket = node;
}

void PathTree::remove(Node* node) {
    if (node->parent == nullptr) {
        return; // not in the index
    }
    Node** at = &buckets_[node->hash & (buckets_.size() - 1)];
    while (*at != node) {
        at = &(*at)->next_in_bucket;
    }
    *at = node->next_in_bucket;
    node->next_in_bucket = nullptr;
}

void PathTree::resize_index(std::size_t buckets) {
    std::vector<Node*> former(buckets);
    former.swap(buckets_);
    for (Node* node : former) {
        while (node != nullptr) {
            Node* next = node->next_in_bucket;
            Node*& bucket = buckets_[node->hash & (buckets_.size() - 1)];
            node->next_in_bucket = bucket;
            bucket = node;
            node = next;
        }
    }
}

// --- state

PathTree::Numbers PathTree::save(base::Packer& out) const {
    Numbers numbers;
    for (const auto& node : nodes_) {
        numbers.emplace(&node, static_cast<std::uint32_t>(numbers.size()));
    }
    out.number(nodes_.size());
    for (const auto& node : nodes_) {
        out(node.name, node.id, node.certain);
        out.number(node.parent == nullptr ? 0 : numbers.at(node.parent) + std::uint64_t{1});
    }
    return numbers;
}

std::vector<PathTree::Node*> PathTree::load(base::Unpacker& in) {
    clear();
    const auto count = in.size();
    std::vector<Node*> nodes{root()};
    std::vector<std::uint64_t> parents;
    for (std::size_t at = 0; at < count; ++at) {
        if (at > 0) {
            nodes.push_back(&nodes_.emplace_back());
            nodes.back()->self = std::prev(nodes_.end());
        }
        Node* node = nodes.back();
        in(node->name, node->id, node->certain);
        name_bytes_ += base::heap_of(node->name);
        parents.push_back(in.number());
    }
    if (count == 0 || parents.front() != 0) {
        throw base::UnpackError("the tree of names has no root");
    }
    for (std::size_t at = 1; at < count; ++at) {
        if (parents[at] > count) {
            throw base::UnpackError("a name has no place in the tree");
        }
        if (parents[at] != 0) {
            nodes[at]->parent = nodes[static_cast<std::size_t>(parents[at] - 1)];
            hold(nodes[at]->parent);
            insert(nodes[at]);
        }
    }
    return nodes;
}

void PathTree::save_nodes(base::Packer& out, const std::vector<Node*>& nodes, const Numbers& numbers) {
    out.number(nodes.size());
    for (const auto* node : nodes) {
        out.number(numbers.at(node));
    }
}

std::vector<PathTree::Node*> PathTree::load_nodes(base::Unpacker& in, const std::vector<Node*>& nodes) {
    std::vector<Node*> found;
    for (auto left = in.size(); left > 0; --left) {
        const auto number = in.number();
        if (number >= nodes.size()) {
            throw base::UnpackError("a name is not there");
        }
        found.push_back(nodes[static_cast<std::size_t>(number)]);
        hold(found.back());
    }
    return found;
}

} // namespace luatrail::host
