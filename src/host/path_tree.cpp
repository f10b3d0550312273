#include "host/path_tree.hpp"

#include <algorithm>

#include "host/heap.hpp"
#include <functional>

namespace luatrail::host {

namespace {

constexpr std::size_t path_bytes = 4096;                                         // PATH_MAX
constexpr std::size_t bytes_a_node = sizeof(PathTree::Node) + 4 * sizeof(void*); // the list's links, malloc's head

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
    buckets_.assign(64, nullptr);
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
    name_bytes_ += heap_of(node->name);
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
        name_bytes_ -= heap_of(node->name);
        nodes_.erase(node->self);
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
        name_bytes_ -= heap_of(node->name);
        node->name = std::string(name);
        name_bytes_ += heap_of(node->name);
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
    return node_bytes() + buckets_.capacity() * sizeof(void*);
}

std::size_t PathTree::node_bytes() const {
    return nodes_.size() * bytes_a_node + name_bytes_;
}

void PathTree::insert(Node* node) {
    if (nodes_.size() > buckets_.size()) {
        grow();
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

void PathTree::grow() {
    std::vector<Node*> former(buckets_.size() * 2);
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

} // namespace luatrail::host
