#include "host/file_store.hpp"

#include <algorithm>

#include "host/heap.hpp"

namespace luatrail::host {

namespace {

constexpr std::size_t changes_a_file = 16;
constexpr std::size_t names_a_file = 8;
constexpr std::size_t aliases_a_directory = 4;
constexpr int symlink_hops = 8;
// A node of each container, with malloc's head.
constexpr std::size_t entry_bytes = sizeof(Entry) + sizeof(FileId) + 8 * sizeof(void*);
constexpr std::size_t directory_bytes = 3 * sizeof(FileId) + 12 * sizeof(void*);

std::int64_t latest_ms(const Entry& entry) {
    return entry.file.changes.empty() ? 0 : entry.file.changes.back().event.time_ms;
}

} // namespace

// --- files

Entry* FileStore::find(FileId id) {
    const auto found = files_.find(id);
    return found == files_.end() ? nullptr : &found->second;
}

Entry& FileStore::open(FileId id) {
    const auto [at, made] = files_.try_emplace(id);
    Entry& entry = at->second;
    if (made) {
        entry.file.id = id;
        entry.age = kept_.insert(kept_.end(), &entry);
        remeasure(entry);
    }
    return entry;
}

void FileStore::forget(Entry& entry) {
    reset(entry);
    files_bytes_ -= entry.bytes;
    (entry.junk ? junk_ : kept_).erase(entry.age);
    files_.erase(FileId(entry.file.id));
}

void FileStore::reset(Entry& entry) {
    clear_names(entry);
    set_link_target(entry, {});
    entry.file.changes.clear();
    entry.file.paths.clear();
    set_deleted(entry, false);
}

void FileStore::record(Entry& entry, Change change) {
    std::vector<Change>& changes = entry.file.changes;
    if (changes.size() >= changes_a_file) {
        changes.erase(changes.begin() + 1); // where it came from is kept
    }
    if (changes.empty()) {
        changes.reserve(1);
    }
    changes.push_back(std::move(change));
    std::list<Entry*>& list = entry.junk ? junk_ : kept_;
    list.splice(list.end(), list, entry.age);
    remeasure(entry);
}

void FileStore::set_link_target(Entry& entry, std::string_view target) {
    symlinks_ -= entry.link_target.empty() ? 0U : 1U;
    entry.link_target = std::string(target.substr(0, path_bytes));
    symlinks_ += entry.link_target.empty() ? 0U : 1U;
    remeasure(entry);
}

void FileStore::set_deleted(Entry& entry, bool deleted) {
    entry.file.deleted = deleted;
    if (entry.junk != deleted) {
        (deleted ? junk_ : kept_).splice((deleted ? junk_ : kept_).end(), entry.junk ? junk_ : kept_, entry.age);
        entry.junk = deleted;
    }
}

void FileStore::remeasure(Entry& entry) {
    std::size_t bytes = entry_bytes + heap_of(entry.link_target) + entry.names.capacity() * sizeof(PathTree::Node*) +
                        entry.file.changes.capacity() * sizeof(Change) +
                        entry.file.paths.capacity() * sizeof(std::string);
    for (const Change& change : entry.file.changes) {
        bytes += heap_of(change.path) + (change.by_exe ? heap_of(*change.by_exe) : 0);
    }
    for (const std::string& path : entry.file.paths) {
        bytes += heap_of(path);
    }
    files_bytes_ += bytes - entry.bytes;
    entry.bytes = bytes;
}

// --- names

void FileStore::add_name(Entry& entry, PathTree::Node* node, bool certain) {
    if (node->id && *node->id != entry.file.id) {
        if (!certain && node->certain) {
            return;
        }
        vacate(node, entry.file.id);
    }
    node->certain = certain || (node->certain && node->id == entry.file.id);
    node->id = entry.file.id;
    if (std::find(entry.names.begin(), entry.names.end(), node) == entry.names.end()) {
        tree_.hold(node);
        entry.names.push_back(node);
        if (entry.names.size() > names_a_file) {
            remove_name(entry, entry.names.front(), true);
        }
    }
    set_deleted(entry, false);
    remeasure(entry);
}

bool FileStore::remove_name(Entry& entry, const PathTree::Node* node, bool certain) {
    auto at = std::find(entry.names.begin(), entry.names.end(), node);
    if (at == entry.names.end()) {
        at = std::find_if(entry.names.begin(), entry.names.end(), [&](const PathTree::Node* known) {
            return known->name == node->name && !(certain && known->certain);
        });
    }
    if (at == entry.names.end()) {
        return false;
    }
    PathTree::Node* lost = *at;
    entry.names.erase(at);
    if (lost->id == entry.file.id) {
        lost->id.reset();
    }
    tree_.drop(lost);
    return true;
}

void FileStore::vacate(PathTree::Node* node, FileId by) {
    if (!node->id || *node->id == by) {
        return;
    }
    const FileId former = *node->id;
    if (former.dev != by.dev) {
        node->id.reset(); // another mount namespace's file: it keeps its name there
        return;
    }
    node->id.reset();
    tree_.hold(node);
    if (Entry* owner = find(former); owner != nullptr && remove_name(*owner, node, true)) {
        set_deleted(*owner, owner->names.empty());
    }
    if (directory(former) == node) {
        drop_directory(former);
    }
    tree_.drop(node);
}

void FileStore::clear_names(Entry& entry) {
    while (!entry.names.empty()) {
        remove_name(entry, entry.names.back(), true);
    }
}

void FileStore::fill_paths(Entry& entry) {
    entry.file.paths.clear();
    for (const PathTree::Node* node : entry.names) {
        std::string path = tree_.path(node);
        if (!path.empty()) {
            entry.file.paths.push_back(std::move(path));
        }
    }
    remeasure(entry);
}

// --- directories

PathTree::Node* FileStore::directory(FileId id) {
    const auto found = directories_.find(id);
    return found == directories_.end() ? nullptr : found->second.node;
}

void FileStore::learn_directory(FileId id, const std::string& path) {
    if (path.empty() || path.front() != '/' || path.size() > path_bytes) {
        return;
    }
    const std::size_t before = tree_.node_bytes();
    PathTree::Node* node = tree_.make(path);
    tree_.hold(node);
    const auto known = directories_.find(id);
    if (known == directories_.end()) {
        place_directory(id, node);
    } else {
        directories_by_use_.splice(directories_by_use_.end(), directories_by_use_, known->second.age);
        if (known->second.node != node && tree_.path(known->second.node).empty()) {
            place_directory(id, node); // it lost its former place
        } else if (known->second.node != node) {
            add_alias(id, known->second, node);
        }
    }
    tree_.drop(node);
    Directory& directory = directories_[id];
    const std::size_t cost = tree_.node_bytes() > before ? tree_.node_bytes() - before : 0;
    directory.cost += cost;
    directories_bytes_ += cost;
}

void FileStore::place_directory(FileId id, PathTree::Node* node) {
    vacate(node, id);
    drop_directory(id);
    tree_.hold(node);
    node->id = id;
    node->certain = true;
    Directory& directory = directories_[id];
    directory.node = node;
    directory.cost = directory_bytes;
    directory.age = directories_by_use_.insert(directories_by_use_.end(), id);
    directories_bytes_ += directory.cost;
}

void FileStore::add_alias(FileId id, Directory& directory, PathTree::Node* node) {
    std::vector<PathTree::Node*>& aliases = directory.aliases;
    const bool taken =
        node == tree_.root() || (node->id && this->directory(*node->id) == node); // by a directory of another root
    if (taken || std::find(aliases.begin(), aliases.end(), node) != aliases.end()) {
        return;
    }
    vacate(node, id);
    tree_.hold(node);
    node->id = id;
    aliases.push_back(node);
    ++aliases_;
    if (aliases.size() > aliases_a_directory) {
        PathTree::Node* oldest = aliases.front();
        aliases.erase(aliases.begin());
        --aliases_;
        leave(id, oldest);
    }
}

void FileStore::leave(FileId id, PathTree::Node* node) {
    if (node->id == id) {
        node->id.reset();
    }
    tree_.drop(node);
}

void FileStore::forget_directory(FileId id) {
    if (PathTree::Node* node = directory(id)) {
        tree_.detach(node); // names below it are stale
        drop_directory(id);
    }
}

void FileStore::drop_directory(FileId id) {
    const auto found = directories_.find(id);
    if (found == directories_.end()) {
        return;
    }
    const Directory gone = std::move(found->second);
    directories_bytes_ -= gone.cost;
    directories_by_use_.erase(gone.age);
    directories_.erase(found);
    aliases_ -= gone.aliases.size();
    for (PathTree::Node* alias : gone.aliases) {
        leave(id, alias);
    }
    leave(id, gone.node);
}

// --- symlinks

std::string FileStore::follow(std::string path, bool last, std::vector<const Change*>* through) {
    if (symlinks_ == 0 && aliases_ == 0) {
        return path;
    }
    for (int hop = 0; hop <= symlink_hops; ++hop) {
        if (!step_through(path, last, through)) {
            return path;
        }
        if (path.size() > path_bytes) {
            break;
        }
    }
    return {};
}

// Where the directory of an alias is.
const PathTree::Node* FileStore::other_place(const PathTree::Node* node) {
    const PathTree::Node* place = node->id && aliases_ > 0 ? directory(*node->id) : nullptr;
    return place == node ? nullptr : place;
}

// Replaces the first symlink or alias of the path; false when there is none.
bool FileStore::step_through(std::string& path, bool last, std::vector<const Change*>* through) {
    const PathTree::Node* node = tree_.root();
    for (std::size_t start = 1; start < path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        node = tree_.child(node, std::string_view(path).substr(start, end - start));
        if (node == nullptr || (end == path.size() && !last)) {
            return false;
        }
        const Entry* link = node->id ? find(*node->id) : nullptr;
        if (link != nullptr && !link->link_target.empty()) {
            for (const Change& change : link->file.changes) {
                if (through != nullptr) {
                    through->push_back(&change);
                }
            }
            path = normal_path(join_path(path.substr(0, start), link->link_target) + path.substr(end));
            return true;
        }
        if (const PathTree::Node* place = other_place(node)) {
            const std::string above = tree_.path(place);
            if (!above.empty()) {
                path = join_path(above, std::string_view(path).substr(std::min(end + 1, path.size())));
                return true;
            }
        }
        start = end + 1;
    }
    return false;
}

// --- bounds

std::size_t FileStore::memory() const {
    return files_bytes_ + directories_.size() * directory_bytes + tree_.bytes() +
           (files_.bucket_count() + directories_.bucket_count()) * sizeof(void*);
}

void FileStore::expire(std::int64_t horizon_ms) {
    for (std::list<Entry*>* list : {&kept_, &junk_}) {
        while (!list->empty() && latest_ms(*list->front()) < horizon_ms) {
            forget(*list->front());
        }
    }
}

void FileStore::give_up(Entry& entry) {
    ++evicted_;
    if (!entry.junk) {
        evicted_until_ms_ = std::max(evicted_until_ms_, latest_ms(entry));
    }
    forget(entry);
}

void FileStore::enforce_capacity() {
    while (memory() > capacity_) {
        if (!directories_.empty() && (directories_bytes_ > capacity_ / 4 || (kept_.empty() && junk_.empty()))) {
            drop_directory(FileId(directories_by_use_.front()));
        } else if (!junk_.empty()) {
            give_up(*junk_.front());
        } else if (!kept_.empty()) {
            give_up(*kept_.front());
        } else {
            return;
        }
    }
}

} // namespace luatrail::host
