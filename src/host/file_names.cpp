#include "host/file_names.hpp"

#include <algorithm>

#include "luatrail/host/paths.hpp"

namespace luatrail::host {

namespace {

constexpr int symlink_hops = 8;

// Names that lead somewhere else for each process that uses them.
bool magic(std::string_view path) {
    return path.substr(0, 6) == "/proc/" || path.substr(0, 8) == "/dev/fd/";
}

} // namespace

bool is_type(const audit::PathItem& item, std::uint32_t type) {
    return item.mode && (*item.mode & type_mask) == type;
}

bool has_id(const audit::PathItem& item) {
    return file_id_of(item).has_value();
}

FileId id_of(const audit::PathItem& item) {
    return {.dev = *item.dev, .inode = *item.inode};
}

bool absolute(std::string_view name) {
    return !name.empty() && name.front() == '/';
}

std::string_view last_component(std::string_view normal) {
    const std::size_t slash = normal.rfind('/');
    return slash == std::string_view::npos ? normal : normal.substr(slash + 1);
}

ResolvedPath FileNames::resolve(std::string_view name, std::optional<std::string_view> cwd,
                                std::optional<FileId> parent, bool at_cwd) {
    if (name.empty()) {
        return {{}, !at_cwd};
    }
    if (name.size() > path_bytes || (cwd && cwd->size() > path_bytes)) {
        return {std::string(name.substr(0, path_bytes)), true};
    }
    const std::string normal = normal_path(name);
    const std::string_view last = last_component(normal);
    if (parent && !last.empty() && last != "." && last != "..") {
        const PathTree::Node* node = directory(*parent);
        const std::string above = node == nullptr ? std::string() : tree_.path(node);
        if (!above.empty()) {
            return {join_path(above, last), false};
        }
    }
    std::string path = cwd ? join_path(*cwd, normal) : normal;
    if (absolute(path)) {
        std::string real = follow(path, false);
        path = real.empty() ? path : real;
    }
    return {path, !absolute(name) && !at_cwd};
}

bool FileNames::name_entry(Entry& entry, const ResolvedPath& place) {
    if (!absolute(place.path) || place.path.size() > path_bytes || magic(place.path)) {
        return false;
    }
    PathTree::Node* node = tree_.make(place.path);
    tree_.hold(node);
    add_name(entry, node, !place.uncertain);
    tree_.drop(node);
    return true;
}

bool FileNames::unname_entry(Entry& entry, const ResolvedPath& place) {
    if (!absolute(place.path) || place.path.size() > path_bytes) {
        return false;
    }
    PathTree::Node* node = tree_.make(place.path);
    tree_.hold(node);
    const bool had = files_.remove_name(entry, node, !place.uncertain);
    tree_.drop(node);
    return had;
}

// The kernel logs the directory part of the name as it was given ("/tmp/q/", "sub/"), or cwd when there was none: then
// it is the truth only if the name was relative to cwd (audit_log_name).
void FileNames::learn_parent(const audit::PathItem& parent, std::optional<std::string_view> cwd, bool trusted) {
    if (!parent.name || parent.name->empty() || !has_id(parent) || parent.name->size() > path_bytes) {
        return;
    }
    const bool as_given = absolute(*parent.name) && parent.name->size() > 1 && parent.name->back() == '/';
    if (!as_given && !trusted) {
        return;
    }
    if (!absolute(*parent.name) && (!cwd || cwd->size() > path_bytes)) {
        return;
    }
    const std::string path = cwd ? join_path(*cwd, *parent.name) : normal_path(*parent.name);
    if (!magic(path)) {
        learn_directory(id_of(parent), follow(path, true));
    }
}

void FileNames::seen(const audit::PathItem& item, std::optional<std::string_view> cwd, bool at_cwd) {
    if (!item.name || item.name->empty() || !has_id(item)) {
        return;
    }
    const ResolvedPath place = resolve(*item.name, cwd, {}, at_cwd);
    if (place.uncertain || !absolute(place.path) || magic(place.path)) {
        return;
    }
    PathTree::Node* there = tree_.locate(place.path);
    if (there != nullptr && there->id == id_of(item)) {
        return;
    }
    const std::string real = follow(place.path, true);
    if (real.empty() || real.size() > path_bytes) {
        return;
    }
    if (is_type(item, type_directory)) {
        learn_directory(id_of(item), real);
        return;
    }
    if (is_another(id_of(item), real)) {
        return;
    }
    if (Entry* entry = files_.find(id_of(item))) {
        const bool removed = entry->file.deleted && !entry->file.changes.empty() &&
                             entry->file.changes.back().kind == ChangeKind::unlink;
        if (!removed) {
            name_entry(*entry, {real, false});
            return;
        }
        files_.forget(
            *entry); // its last name was removed: the inode is now another file's, which came where nobody looked
    }
    there = tree_.locate(real);
    if (there != nullptr && there != tree_.root()) {
        vacate(there, id_of(item));
    }
}

bool FileNames::is_another(FileId id, const std::string& path) {
    const auto in_memory = [](std::string_view name) {
        return name.starts_with("/dev/shm/") || name.starts_with("/run/");
    };
    const Entry* entry = is_anonymous(id) ? files_.find(id) : nullptr;
    if (entry == nullptr || magic(path) || in_memory(path)) {
        return false;
    }
    const std::string real = follow(path, true);
    bool named = false;
    for (const PathTree::Node* node : entry->names) {
        const std::string name = tree_.path(node);
        if (!node->certain || name == path || name == real || in_memory(name)) {
            return false;
        }
        named = true;
    }
    return named;
}

// --- who has a name

void FileNames::add_name(Entry& entry, PathTree::Node* node, bool certain) {
    if (node->id && *node->id != entry.file.id) {
        if (!certain && node->certain) {
            return;
        }
        vacate(node, entry.file.id);
    }
    node->certain = certain || (node->certain && node->id == entry.file.id);
    node->id = entry.file.id;
    files_.add_name(entry, node);
}

void FileNames::vacate(PathTree::Node* node, FileId by) {
    if (!node->id || *node->id == by) {
        return;
    }
    const FileId former = *node->id;
    node->id.reset();
    if (former.dev != by.dev) {
        return; // another mount namespace's file: it keeps its name there
    }
    tree_.hold(node);
    if (Entry* owner = files_.find(former); owner != nullptr && files_.remove_name(*owner, node, true)) {
        files_.set_deleted(*owner, owner->names.empty());
    }
    if (directory(former) == node) {
        directories_.drop(former);
    }
    tree_.drop(node);
}

// --- directories

void FileNames::learn_directory(FileId id, const std::string& path) {
    if (!absolute(path) || path.size() > path_bytes) {
        return;
    }
    const std::size_t before = tree_.node_bytes();
    PathTree::Node* node = tree_.make(path);
    tree_.hold(node);
    const PathTree::Node* known = directory(id);
    if (known == nullptr || (known != node && tree_.path(known).empty())) { // it is new, or lost its former place
        vacate(node, id);
        directories_.place(id, node);
    } else if (known != node && !taken(node) && !directories_.has_alias(id, node)) {
        vacate(node, id);
        directories_.add_alias(id, node);
    }
    directories_.touch(id);
    tree_.drop(node);
    const std::size_t after = tree_.node_bytes();
    directories_.add_cost(id, after > before ? after - before : 0);
}

// By a directory of another root.
bool FileNames::taken(const PathTree::Node* node) const {
    return node->parent == nullptr || (node->id && directory(*node->id) == node);
}

void FileNames::forget_directory(FileId id) {
    if (PathTree::Node* node = directory(id)) {
        tree_.detach(node); // names below it are stale
        directories_.drop(id);
    }
}

// --- symlinks

std::string FileNames::follow(std::string path, bool last, std::vector<const Change*>* through) {
    if (!files_.any_links() && !directories_.any_aliases()) {
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
const PathTree::Node* FileNames::other_place(const PathTree::Node* node) const {
    const PathTree::Node* place = node->id && directories_.any_aliases() ? directory(*node->id) : nullptr;
    return place == node ? nullptr : place;
}

// Replaces the first symlink or alias of the path; false when there is none.
bool FileNames::step_through(std::string& path, bool last, std::vector<const Change*>* through) {
    const PathTree::Node* node = tree_.root();
    for (std::size_t start = 1; start < path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        node = tree_.child(node, std::string_view(path).substr(start, end - start));
        if (node == nullptr || (end == path.size() && !last)) {
            return false;
        }
        const Entry* link = node->id ? files_.find(*node->id) : nullptr;
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

// --- bounds and state

bool FileNames::give_way() {
    const bool too_many = directories_.cost() > bytes() / 4 || files_.size() == 0;
    return (too_many && directories_.give_way()) || files_.give_way();
}

void FileNames::clear() {
    files_.clear();
    directories_.clear();
    tree_.clear();
}

void FileNames::save(base::Packer& out) const {
    const auto numbers = tree_.save(out);
    files_.save(out, numbers);
    directories_.save(out, numbers);
}

void FileNames::load(base::Unpacker& in) {
    clear();
    try {
        const auto nodes = tree_.load(in);
        files_.load(in, nodes);
        directories_.load(in, nodes);
        for (const auto* node : nodes) {
            if (node->holds == 0) {
                throw base::UnpackError("a name belongs to nothing");
            }
        }
    } catch (...) {
        clear();
        throw;
    }
}

} // namespace luatrail::host
