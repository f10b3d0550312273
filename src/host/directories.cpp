#include "host/directories.hpp"

#include <algorithm>

#include "luatrail/base/heap.hpp"

namespace luatrail::host {

namespace {

constexpr std::size_t aliases_a_directory = 4;

} // namespace

PathTree::Node* Directories::find(FileId id) const {
    const auto found = directories_.find(id);
    return found == directories_.end() ? nullptr : found->second.node;
}

void Directories::place(FileId id, PathTree::Node* node) {
    tree_->hold(node);
    drop(id);
    node->id = id;
    node->certain = true;
    Directory& directory = directories_[id];
    directory.node = node; // held by the hold above
    directory.age = by_use_.insert(by_use_.end(), id);
    add_cost(id, base::hash_node<FileId, Directory>() + base::list_node<FileId>());
}

bool Directories::has_alias(FileId id, const PathTree::Node* node) const {
    const auto found = directories_.find(id);
    return found != directories_.end() &&
           std::find(found->second.aliases.begin(), found->second.aliases.end(), node) != found->second.aliases.end();
}

void Directories::add_alias(FileId id, PathTree::Node* node) {
    const auto found = directories_.find(id);
    if (found == directories_.end()) {
        return;
    }
    std::vector<PathTree::Node*>& aliases = found->second.aliases;
    alias_bytes_ -= base::heap_of(aliases);
    tree_->hold(node);
    node->id = id;
    aliases.push_back(node);
    ++aliases_;
    alias_bytes_ += base::heap_of(aliases);
    if (aliases.size() > aliases_a_directory) {
        PathTree::Node* oldest = aliases.front();
        aliases.erase(aliases.begin());
        --aliases_;
        leave(id, oldest);
    }
}

void Directories::touch(FileId id) {
    if (const auto found = directories_.find(id); found != directories_.end()) {
        by_use_.splice(by_use_.end(), by_use_, found->second.age);
    }
}

void Directories::leave(FileId id, PathTree::Node* node) {
    if (node->id == id) {
        node->id.reset();
    }
    tree_->drop(node);
}

void Directories::drop(FileId id) {
    const auto found = directories_.find(id);
    if (found == directories_.end()) {
        return;
    }
    const Directory gone = std::move(found->second);
    cost_ -= gone.cost;
    by_use_.erase(gone.age);
    directories_.erase(found);
    base::shrink_buckets(directories_);
    aliases_ -= gone.aliases.size();
    alias_bytes_ -= base::heap_of(gone.aliases);
    for (PathTree::Node* alias : gone.aliases) {
        leave(id, alias);
    }
    leave(id, gone.node);
}

void Directories::add_cost(FileId id, std::size_t bytes) {
    if (const auto found = directories_.find(id); found != directories_.end()) {
        found->second.cost += bytes;
        cost_ += bytes;
    }
}

bool Directories::give_way() {
    if (by_use_.empty()) {
        return false;
    }
    drop(FileId(by_use_.front()));
    return true;
}

std::size_t Directories::bytes() const {
    return directories_.size() * (base::hash_node<FileId, Directory>() + base::list_node<FileId>()) + alias_bytes_ +
           base::hash_buckets(directories_);
}

// --- state

void Directories::clear() {
    directories_.clear();
    by_use_.clear();
    aliases_ = alias_bytes_ = cost_ = 0;
}

void Directories::save(base::Packer& out, const PathTree::Numbers& numbers) const {
    out.number(by_use_.size());
    for (const auto id : by_use_) {
        const auto& directory = directories_.at(id);
        out(id, directory.cost);
        PathTree::save_nodes(out, {directory.node}, numbers);
        PathTree::save_nodes(out, directory.aliases, numbers);
    }
}

void Directories::load(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes) {
    for (auto left = in.size(); left > 0; --left) {
        FileId id;
        in(id);
        const auto [at, made] = directories_.try_emplace(id);
        if (!made) {
            throw base::UnpackError("a directory is there twice");
        }
        Directory& directory = at->second;
        in(directory.cost);
        cost_ += directory.cost;
        directory.age = by_use_.insert(by_use_.end(), id);
        const auto place = tree_->load_nodes(in, nodes);
        if (place.size() != 1) {
            throw base::UnpackError("a directory is in no one place");
        }
        directory.node = place.front();
        directory.aliases = tree_->load_nodes(in, nodes);
        aliases_ += directory.aliases.size();
        alias_bytes_ += base::heap_of(directory.aliases);
    }
}

} // namespace luatrail::host
