// What a FileLedger knows, as bytes and back.
#include "host/file_store.hpp"
#include "host/heap.hpp"

namespace luatrail::host {

template <class Archive>
static void transfer(Archive& archive, Change& change) {
    archive(change.kind, change.event, change.path, change.path_uncertain, change.by, change.by_pid, change.by_exe,
            change.by_uid);
}

// --- names

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
        name_bytes_ += heap_of(node->name);
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

// --- files and directories

namespace {

using Nodes = std::vector<PathTree::Node*>;

PathTree::Node* node_of(base::Unpacker& in, const Nodes& nodes) {
    const auto number = in.number();
    if (number >= nodes.size()) {
        throw base::UnpackError("a file has a name that is not there");
    }
    return nodes[static_cast<std::size_t>(number)];
}

void save_nodes(base::Packer& out, const Nodes& nodes, const PathTree::Numbers& numbers) {
    out.number(nodes.size());
    for (const auto* node : nodes) {
        out.number(numbers.at(node));
    }
}

} // namespace

void FileStore::save(base::Packer& out) const {
    const auto numbers = tree_.save(out);
    out(evicted_, evicted_until_ms_);
    for (const auto* list : {&kept_, &junk_}) {
        out.number(list->size());
        for (const auto* entry : *list) {
            out(entry->file.id, entry->file.changes, entry->file.deleted, entry->link_target);
            save_nodes(out, entry->names, numbers);
        }
    }
    out.number(directories_by_use_.size());
    for (const auto id : directories_by_use_) {
        const auto& directory = directories_.at(id);
        out(id, directory.cost);
        out.number(numbers.at(directory.node));
        save_nodes(out, directory.aliases, numbers);
    }
}

void FileStore::load(base::Unpacker& in) {
    try {
        load_all(in);
    } catch (...) {
        clear();
        throw;
    }
    enforce_capacity(); // it may have been saved under a larger bound
}

void FileStore::clear() {
    files_.clear();
    directories_.clear();
    kept_.clear();
    junk_.clear();
    directories_by_use_.clear();
    files_bytes_ = directories_bytes_ = symlinks_ = aliases_ = 0;
    evicted_ = 0;
    evicted_until_ms_ = 0;
    tree_.clear();
}

void FileStore::load_all(base::Unpacker& in) {
    clear();
    const auto nodes = tree_.load(in);
    in(evicted_, evicted_until_ms_);
    for (const bool junk : {false, true}) {
        for (auto left = in.size(); left > 0; --left) {
            load_entry(in, nodes, junk);
        }
    }
    for (auto left = in.size(); left > 0; --left) {
        load_directory(in, nodes);
    }
    for (const auto* node : nodes) {
        if (node->holds == 0) {
            throw base::UnpackError("a name belongs to nothing");
        }
    }
}

void FileStore::load_entry(base::Unpacker& in, const Nodes& nodes, bool junk) {
    FileId id;
    in(id);
    const auto [at, made] = files_.try_emplace(id);
    if (!made) {
        throw base::UnpackError("a file is there twice");
    }
    Entry& entry = at->second;
    entry.file.id = id;
    entry.junk = junk;
    auto& list = junk ? junk_ : kept_;
    entry.age = list.insert(list.end(), &entry);
    in(entry.file.changes, entry.file.deleted, entry.link_target);
    symlinks_ += entry.link_target.empty() ? 0U : 1U;
    for (auto left = in.size(); left > 0; --left) {
        entry.names.push_back(node_of(in, nodes));
        tree_.hold(entry.names.back());
    }
    remeasure(entry);
}

void FileStore::load_directory(base::Unpacker& in, const Nodes& nodes) {
    FileId id;
    in(id);
    const auto [at, made] = directories_.try_emplace(id);
    if (!made) {
        throw base::UnpackError("a folder is there twice");
    }
    Directory& directory = at->second;
    in(directory.cost);
    directories_bytes_ += directory.cost;
    directory.age = directories_by_use_.insert(directories_by_use_.end(), id);
    directory.node = node_of(in, nodes);
    tree_.hold(directory.node);
    for (auto left = in.size(); left > 0; --left) {
        directory.aliases.push_back(node_of(in, nodes));
        tree_.hold(directory.aliases.back());
        ++aliases_;
    }
}

} // namespace luatrail::host
