#include "host/file_histories.hpp"

#include <algorithm>

#include "luatrail/base/heap.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::host {

namespace {

constexpr std::size_t changes_a_file = 16;
constexpr std::size_t names_a_file = 8;
constexpr std::size_t entry_bytes = base::hash_node<FileId, Entry>() + base::list_node<Entry*>();

std::int64_t latest_ms(const Entry& entry) {
    return entry.file.changes.empty() ? 0 : entry.file.changes.back().event.time_ms;
}

} // namespace

std::size_t heap_of(const Change& change) {
    return base::heap_of(change.path) + base::heap_of(change.by_exe);
}

// --- files

Entry* FileHistories::find(FileId id) {
    const auto found = files_.find(id);
    return found == files_.end() ? nullptr : &found->second;
}

Entry& FileHistories::open(FileId id) {
    const auto [at, made] = files_.try_emplace(id);
    Entry& entry = at->second;
    if (made) {
        entry.file.id = id;
        entry.age = kept_.insert(kept_.end(), &entry);
        remeasure(entry);
    }
    return entry;
}

void FileHistories::forget(Entry& entry) {
    clear_names(entry);
    symlinks_ -= entry.link_target.empty() ? 0U : 1U;
    bytes_ -= entry.bytes;
    list_of(entry).erase(entry.age);
    files_.erase(FileId(entry.file.id));
    base::shrink_buckets(files_);
}

void FileHistories::reset(Entry& entry) {
    clear_names(entry);
    entry.file.changes.clear();
    entry.file.paths.clear();
    set_deleted(entry, false);
    set_link_target(entry, {});
}

void FileHistories::record(Entry& entry, Change change) {
    std::vector<Change>& changes = entry.file.changes;
    if (changes.size() >= changes_a_file) {
        changes.erase(changes.begin() + 1); // where it came from is kept
    }
    if (changes.empty()) {
        changes.reserve(1);
    }
    changes.push_back(std::move(change));
    std::list<Entry*>& list = list_of(entry);
    list.splice(list.end(), list, entry.age);
    remeasure(entry);
}

void FileHistories::set_deleted(Entry& entry, bool deleted) {
    entry.file.deleted = deleted;
    if (entry.junk != deleted) {
        std::list<Entry*>& from = list_of(entry);
        entry.junk = deleted;
        std::list<Entry*>& to = list_of(entry);
        to.splice(to.end(), from, entry.age);
    }
}

void FileHistories::set_link_target(Entry& entry, std::string_view target) {
    symlinks_ -= entry.link_target.empty() ? 0U : 1U;
    entry.link_target = std::string(target.substr(0, path_bytes));
    symlinks_ += entry.link_target.empty() ? 0U : 1U;
    remeasure(entry);
}

void FileHistories::remeasure(Entry& entry) {
    const std::size_t bytes = entry_bytes + base::heap_of(entry.link_target) + base::heap_of(entry.names) +
                              base::heap_of(entry.file.changes) + base::heap_of(entry.file.paths);
    bytes_ += bytes - entry.bytes;
    entry.bytes = bytes;
}

// --- names

void FileHistories::add_name(Entry& entry, PathTree::Node* node) {
    if (std::find(entry.names.begin(), entry.names.end(), node) == entry.names.end()) {
        tree_->hold(node);
        entry.names.push_back(node);
        if (entry.names.size() > names_a_file) {
            remove_name(entry, entry.names.front(), true);
        }
    }
    set_deleted(entry, false);
    remeasure(entry);
}

bool FileHistories::remove_name(Entry& entry, const PathTree::Node* node, bool certain) {
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
    tree_->drop(lost);
    return true;
}

void FileHistories::clear_names(Entry& entry) {
    while (!entry.names.empty()) {
        remove_name(entry, entry.names.back(), true);
    }
}

void FileHistories::fill_paths(Entry& entry) {
    entry.file.paths.clear();
    for (const PathTree::Node* node : entry.names) {
        std::string path = tree_->path(node);
        if (!path.empty()) {
            entry.file.paths.push_back(std::move(path));
        }
    }
    remeasure(entry);
}

// --- bounds

std::size_t FileHistories::bytes() const {
    return bytes_ + base::hash_buckets(files_);
}

void FileHistories::expire(std::int64_t horizon_ms) {
    for (std::list<Entry*>* list : {&kept_, &junk_}) {
        while (!list->empty() && latest_ms(*list->front()) < horizon_ms) {
            forget(*list->front());
        }
    }
}

bool FileHistories::give_way() {
    std::list<Entry*>& list = junk_.empty() ? kept_ : junk_;
    if (list.empty()) {
        return false;
    }
    Entry& entry = *list.front();
    ++evicted_;
    if (!entry.junk) {
        evicted_until_ms_ = std::max(evicted_until_ms_, latest_ms(entry));
    }
    forget(entry);
    return true;
}

// --- state

template <class Archive>
static void transfer(Archive& archive, Change& change) {
    archive(change.kind, change.event, change.path, change.path_uncertain, change.by, change.by_pid, change.by_exe,
            change.by_uid);
}

void FileHistories::clear() {
    files_.clear();
    kept_.clear();
    junk_.clear();
    bytes_ = symlinks_ = 0;
    evicted_ = 0;
    evicted_until_ms_ = 0;
}

void FileHistories::save(base::Packer& out, const PathTree::Numbers& numbers) const {
    out(evicted_, evicted_until_ms_);
    for (const auto* list : {&kept_, &junk_}) {
        out.number(list->size());
        for (const auto* entry : *list) {
            out(entry->file.id, entry->file.changes, entry->file.deleted, entry->link_target);
            PathTree::save_nodes(out, entry->names, numbers);
        }
    }
}

void FileHistories::load(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes) {
    in(evicted_, evicted_until_ms_);
    for (const bool junk : {false, true}) {
        for (auto left = in.size(); left > 0; --left) {
            load_entry(in, nodes, junk);
        }
    }
}

void FileHistories::load_entry(base::Unpacker& in, const std::vector<PathTree::Node*>& nodes, bool junk) {
    FileId id;
    in(id);
    const auto [at, made] = files_.try_emplace(id);
    if (!made) {
        throw base::UnpackError("a file is there twice");
    }
    Entry& entry = at->second;
    entry.file.id = id;
    entry.junk = junk;
    entry.age = list_of(entry).insert(list_of(entry).end(), &entry);
    in(entry.file.changes, entry.file.deleted, entry.link_target);
    symlinks_ += entry.link_target.empty() ? 0U : 1U;
    entry.names = tree_->load_nodes(in, nodes);
    remeasure(entry);
}

} // namespace luatrail::host
