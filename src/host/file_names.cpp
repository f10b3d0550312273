#include "host/file_names.hpp"

namespace luatrail::host {

namespace {

// Names that lead somewhere else for each process that uses them.
bool magic(std::string_view path) {
    return path.substr(0, 6) == "/proc/" || path.substr(0, 8) == "/dev/fd/";
}

} // namespace

bool is_type(const PathItem& item, std::uint32_t type) {
    return item.mode && (*item.mode & type_mask) == type;
}

bool has_id(const PathItem& item) {
    return item.id && item.id->inode != 0;
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
        const std::string above = node == nullptr ? std::string() : tree().path(node);
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
    PathTree::Node* node = tree().make(place.path);
    tree().hold(node);
    add_name(entry, node, !place.uncertain);
    tree().drop(node);
    return true;
}

bool FileNames::unname_entry(Entry& entry, const ResolvedPath& place) {
    if (!absolute(place.path) || place.path.size() > path_bytes) {
        return false;
    }
    PathTree::Node* node = tree().make(place.path);
    tree().hold(node);
    const bool had = remove_name(entry, node, !place.uncertain);
    tree().drop(node);
    return had;
}

// The kernel logs the directory part of the name as it was given ("/tmp/q/", "sub/"), or cwd when there was none: then
// it is the truth only if the name was relative to cwd (audit_log_name).
void FileNames::learn_parent(const PathItem& parent, std::optional<std::string_view> cwd, bool trusted) {
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
        learn_directory(*parent.id, follow(path, true));
    }
}

void FileNames::seen(const PathItem& item, std::optional<std::string_view> cwd, bool at_cwd) {
    if (!item.name || item.name->empty() || !has_id(item)) {
        return;
    }
    const ResolvedPath place = resolve(*item.name, cwd, {}, at_cwd);
    if (place.uncertain || !absolute(place.path) || magic(place.path)) {
        return;
    }
    PathTree::Node* there = tree().locate(place.path);
    if (there != nullptr && there->id == item.id) {
        return;
    }
    const std::string real = follow(place.path, true);
    if (real.empty() || real.size() > path_bytes) {
        return;
    }
    if (is_type(item, type_directory)) {
        learn_directory(*item.id, real);
        return;
    }
    if (Entry* entry = find(*item.id)) {
        const bool removed = entry->file.deleted && !entry->file.changes.empty() &&
                             entry->file.changes.back().kind == ChangeKind::unlink;
        if (!removed) {
            name_entry(*entry, {real, false});
            return;
        }
        forget(*entry); // its last name was removed: the inode is another file's by now, which came where nobody looked
    }
    there = tree().locate(real);
    if (there != nullptr && there != tree().root()) {
        vacate(there, *item.id);
    }
}

} // namespace luatrail::host
