#include "luatrail/host/file_ledger.hpp"

#include <algorithm>

#include "host/file_names.hpp"
#include "host/path_roles.hpp"
#include "host/unplaced_files.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::host {

namespace {

constexpr std::int64_t write_merge_ms = 1000;

using NameType = audit::PathItem::NameType;
using Call = audit::Effect;

std::uint32_t pid_of(const FileEvent& event) {
    return event.typed->syscall.pid.value_or(0);
}

} // namespace

struct FileLedger::State {
    explicit State(base::Budget& budget) : charge(budget) { measure(); }

    FileNames names;
    UnplacedFiles unplaced;
    base::Charge charge;

    void measure() { charge.resize(base::block(sizeof(State)) + names.bytes() + unplaced.bytes()); }

    // Which of a call's two names: rename has both, link's new one is the second.
    enum class Side : std::uint8_t { first, second };

    void learn_parents(const FileEvent& event, const Roles& roles);
    void removed(const audit::PathItem& item, const FileEvent& event, const Roles& roles, Side side);
    void created(const audit::PathItem& item, const FileEvent& event, const Roles& roles, Side side);
    void created_directory(FileId id, const ResolvedPath& place, const FileEvent& event, bool moved);
    void changed(const audit::PathItem& item, const FileEvent& event);
    void unnamed(const audit::PathItem& item, const FileEvent& event, const std::string& directory_path);
    void also_named(const audit::PathItem& item, const FileEvent& event);

    std::size_t old_parent(const FileEvent& event, const Roles& roles);
    ResolvedPath place_of(const audit::PathItem& item, const FileEvent& event, const Roles& roles, Side side);
    bool is_directory(const audit::PathItem& item) {
        return is_type(item, type_directory) || (!item.mode && names.directory(id_of(item)) != nullptr);
    }
    void note(Entry& entry, ChangeKind kind, const FileEvent& event, const ResolvedPath& place);
    void remember_unplaced(const audit::PathItem& item, const Roles& roles);
};

// --- names

// Which of a rename's two PARENT items is the old name's. The log's order is no help: it is that in which the compiler
// evaluated two arguments in the kernel (6.18 as Debian's gcc builds it logs the new one first). Their names decide,
// because each is the directory part of the name that was given; between equal names, the directory that is known to
// hold the old name.
std::size_t FileLedger::State::old_parent(const FileEvent& event, const Roles& roles) {
    const auto& parents = roles.parents;
    if (parents.size() != 2 || roles.removed.empty() || !roles.removed.front()->name) {
        return 0;
    }
    const std::string_view old_name = *roles.removed.front()->name;
    const auto is_above = [&event](const audit::PathItem& parent, std::string_view name) {
        const std::size_t slash = name.rfind('/');
        return parent.name && *parent.name == (slash == std::string_view::npos ? event.typed->cwd.value_or("")
                                                                               : name.substr(0, slash + 1));
    };
    const bool first = is_above(*parents[0], old_name);
    const bool second = is_above(*parents[1], old_name);
    if (first != second) {
        return first ? 0 : 1;
    }
    const std::string_view last = old_name.substr(old_name.rfind('/') + 1);
    const auto holds_old = [&](const audit::PathItem& parent) {
        const PathTree::Node* known = has_id(parent) ? names.directory(id_of(parent)) : nullptr;
        const PathTree::Node* child = known == nullptr ? nullptr : names.tree().child(known, last);
        return child != nullptr && child->id == file_id_of(*roles.removed.front());
    };
    return !holds_old(*parents[0]) && holds_old(*parents[1]) ? 1 : 0;
}

ResolvedPath FileLedger::State::place_of(const audit::PathItem& item, const FileEvent& event, const Roles& roles,
                                         Side side) {
    std::optional<FileId> parent;
    if (!roles.parents.empty()) {
        std::size_t at = 0;
        if (event.call == Call::rename && roles.parents.size() > 1) {
            const std::size_t old = old_parent(event, roles);
            at = side == Side::first ? old : 1 - std::min<std::size_t>(old, 1);
        }
        parent = file_id_of(*roles.parents[at]);
    }
    const bool at_cwd = side == Side::first ? event.at_cwd : event.at_cwd_second;
    if (!item.name) {
        return {};
    }
    auto place = names.resolve(*item.name, event.typed->cwd, parent, at_cwd);
    if (place.uncertain && event.destination && !absolute(*item.name)) {
        place.path = join_path(*event.destination, *item.name);
    }
    return place;
}

void FileLedger::State::note(Entry& entry, ChangeKind kind, const FileEvent& event, const ResolvedPath& place) {
    Change change;
    change.kind = kind;
    change.event = event.typed->id;
    change.path = place.path.substr(0, path_bytes);
    change.path_uncertain = place.uncertain;
    change.by = event.by;
    change.by_pid = pid_of(event);
    if (const auto exe = event.exe ? event.exe : event.typed->syscall.exe) {
        change.by_exe.emplace(exe->substr(0, path_bytes));
    }
    change.by_uid = event.typed->syscall.uid;
    names.files().record(entry, std::move(change));
}

void FileLedger::State::remember_unplaced(const audit::PathItem& item, const Roles& roles) {
    if (!item.name) {
        return;
    }
    const auto& parents = roles.parents;
    const auto directory = parents.empty() ? std::nullopt : file_id_of(*parents.back());
    unplaced.keep(id_of(item), parents.size() > 1 ? FileId{} : directory.value_or(FileId{}),
                  last_component(*item.name));
}

// --- directories

void FileLedger::State::learn_parents(const FileEvent& event, const Roles& roles) {
    for (std::size_t i = 0; i < roles.parents.size(); ++i) {
        const bool second = event.call == Call::link || (event.call == Call::rename && i != old_parent(event, roles));
        const Items& children = second || roles.removed.empty() ? roles.created : roles.removed;
        const bool child_absolute = !children.empty() && children.front()->name && absolute(*children.front()->name);
        const bool at_cwd = second ? event.at_cwd_second : event.at_cwd;
        names.learn_parent(*roles.parents[i], event.typed->cwd, at_cwd || child_absolute);
    }
}

void FileLedger::State::created_directory(FileId id, const ResolvedPath& place, const FileEvent& event, bool moved) {
    if (Entry* file = names.files().find(id)) {
        names.files().forget(*file); // the inode was a file's
    }
    if (!absolute(place.path) || place.path.size() > path_bytes || place.uncertain) {
        if (moved || event.call == Call::mkdir) {
            names.forget_directory(id); // it went where we can't follow
        }
        return;
    }
    PathTree::Node* known = names.directory(id);
    if (known != nullptr && moved) {
        const std::size_t slash = place.path.rfind('/');
        PathTree::Node* above = names.tree().make(std::string_view(place.path).substr(0, slash));
        names.tree().hold(above);
        names.tree().move(known, above, std::string_view(place.path).substr(slash + 1));
        names.tree().drop(above);
        known->id = id;
        return;
    }
    if (known != nullptr && names.tree().path(known) == place.path) {
        return; // the same record twice
    }
    names.forget_directory(id);
    PathTree::Node* stale = moved ? nullptr : names.tree().locate(place.path);
    if (stale != nullptr && stale != names.tree().root() && (!stale->id || stale->id->dev == id.dev)) {
        names.tree().hold(stale);
        names.tree().detach(stale); // a new directory is empty: what we knew below it is gone
        names.tree().drop(stale);
    }
    names.learn_directory(id, place.path);
}

// --- changes

void FileLedger::State::removed(const audit::PathItem& item, const FileEvent& event, const Roles& roles, Side side) {
    const ResolvedPath place = place_of(item, event, roles, side);
    const bool moved = with_id(roles.created, id_of(item)) != nullptr;
    if (is_directory(item)) {
        if (!moved) {
            names.forget_directory(id_of(item));
        } else if (names.directory(id_of(item)) == nullptr && !place.uncertain) {
            names.learn_directory(id_of(item), place.path); // so that what is known below moves with it
        }
        return;
    }
    Entry* known = names.files().find(id_of(item));
    if (moved) {
        if (known != nullptr) {
            names.unname_entry(*known, place);
        }
        return;
    }
    Entry& entry = known != nullptr ? *known : names.files().open(id_of(item));
    names.unname_entry(entry, place);
    names.files().set_deleted(entry, entry.names.empty());
    note(entry, ChangeKind::unlink, event, place);
}

void FileLedger::State::created(const audit::PathItem& item, const FileEvent& event, const Roles& roles, Side side) {
    const ResolvedPath place = place_of(item, event, roles, side);
    const bool moved = with_id(roles.removed, id_of(item)) != nullptr;
    if (is_type(item, type_directory) || event.call == Call::mkdir || (moved && is_directory(item))) {
        created_directory(id_of(item), place, event, moved);
        return;
    }
    const bool symlink = event.call == Call::symlink || (is_type(item, type_symlink) && !roles.unknown.empty());
    const audit::PathItem* linked = with_id(roles.normal, id_of(item));
    const bool fresh = !moved && linked == nullptr && event.call != Call::link;
    ChangeKind kind = ChangeKind::create;
    if (moved) {
        kind = ChangeKind::rename;
    } else if (!fresh) {
        kind = ChangeKind::link;
    } else if (symlink) {
        kind = ChangeKind::symlink;
    }

    names.forget_directory(id_of(item)); // the inode was a directory's
    Entry& entry = names.files().open(id_of(item));
    if (!entry.file.changes.empty() && entry.file.changes.back().event == event.typed->id &&
        entry.file.changes.back().kind == kind) {
        return; // the same record twice
    }
    if (fresh) {
        names.files().reset(entry);
    }
    if (linked != nullptr) {
        also_named(*linked, event);
    }
    if (place.uncertain) {
        remember_unplaced(item, roles);
    }
    names.name_entry(entry, place);
    names.files().set_deleted(entry, false);
    if (symlink && fresh && !roles.unknown.empty() && roles.unknown.front()->name) {
        names.files().set_link_target(entry, *roles.unknown.front()->name);
    }
    note(entry, kind, event, place);
}

// The old name of a link: its own parent is not given.
void FileLedger::State::also_named(const audit::PathItem& item, const FileEvent& event) {
    if (!item.name || item.name->empty() || (!absolute(*item.name) && !event.at_cwd)) {
        return;
    }
    if (Entry* entry = names.files().find(id_of(item))) {
        names.name_entry(*entry, names.resolve(*item.name, event.typed->cwd, {}, event.at_cwd));
    }
}

// O_TMPFILE: a file without a name, until linkat gives it one.
void FileLedger::State::unnamed(const audit::PathItem& item, const FileEvent& event,
                                const std::string& directory_path) {
    Entry& entry = names.files().open(id_of(item));
    names.files().reset(entry);
    note(entry, ChangeKind::create, event, {join_path(directory_path, "#" + std::to_string(*item.inode)), false});
}

// An item of a call on an existing file: opened for writing, truncated, or its mode changed.
void FileLedger::State::changed(const audit::PathItem& item, const FileEvent& event) {
    const bool writes = event.call == Call::truncate || (event.call == Call::open && (event.writes || event.unnamed));
    if ((!writes && event.call != Call::chmod) || (item.mode && !is_type(item, type_regular))) {
        names.seen(item, event.typed->cwd, event.at_cwd); // a write to a device or a pipe leaves nothing to run
        return;
    }
    ResolvedPath place;
    if (item.name && !item.name->empty()) {
        place = names.resolve(*item.name, event.typed->cwd, {}, event.at_cwd);
        std::string real = absolute(place.path) ? names.follow(place.path, true) : std::string();
        place.path = real.empty() ? place.path : real;
    }
    const PathTree::Node* there = absolute(place.path) ? names.tree().locate(place.path) : nullptr;
    if (event.unnamed || (writes && there != nullptr && there->id && names.directory(*there->id) == there)) {
        unnamed(item, event, place.path);
        return;
    }
    Entry& entry = names.files().open(id_of(item));
    const std::string_view last = last_component(place.path);
    const auto known = std::find_if(entry.names.begin(), entry.names.end(), [&](const PathTree::Node* name) {
        return place.path.empty() || (place.uncertain && name->name == last);
    });
    if (known != entry.names.end()) {
        place = {names.tree().path(*known), false};
    } else if (!place.uncertain) {
        names.name_entry(entry, place);
    }

    const ChangeKind kind = writes ? ChangeKind::write : ChangeKind::chmod;
    if (!entry.file.changes.empty()) {
        const Change& last_change = entry.file.changes.back();
        const std::int64_t since = event.typed->id.time_ms - last_change.event.time_ms;
        const bool again = last_change.kind == ChangeKind::write && kind == ChangeKind::write &&
                           last_change.by_pid == pid_of(event) && since >= 0 && since <= write_merge_ms;
        if (again || (last_change.event == event.typed->id && last_change.kind == kind)) {
            return;
        }
    }
    note(entry, kind, event, place);
}

// --- the interface

FileLedger::FileLedger(base::Budget& budget) : state_(std::make_unique<State>(budget)) {}
FileLedger::~FileLedger() = default;
FileLedger::FileLedger(FileLedger&&) noexcept = default;
FileLedger& FileLedger::operator=(FileLedger&&) noexcept = default;

void FileLedger::apply(const FileEvent& event) {
    const Roles roles(event);
    state_->learn_parents(event, roles);
    // rename: the old name and what it overwrites go before the new name comes; RENAME_EXCHANGE has two of each,
    // crosswise.
    const bool two = event.call == Call::rename;
    for (std::size_t i = 0; i < roles.removed.size(); ++i) {
        if (has_id(*roles.removed[i])) {
            state_->removed(*roles.removed[i], event, roles, two && i > 0 ? State::Side::second : State::Side::first);
        }
    }
    for (std::size_t i = 0; i < roles.created.size(); ++i) {
        const bool second = event.call == Call::link || (two && i == 0);
        if (has_id(*roles.created[i])) {
            state_->created(*roles.created[i], event, roles, second ? State::Side::second : State::Side::first);
        }
    }
    for (const audit::PathItem* item : roles.normal) {
        if (has_id(*item) && with_id(roles.created, id_of(*item)) == nullptr) {
            state_->changed(*item, event);
        }
    }
    state_->measure();
}

void FileLedger::observe(const audit::TypedEvent& event, bool at_cwd) {
    for (const audit::PathItem& item : event.paths) {
        if (item.nametype == NameType::normal) {
            state_->names.seen(item, event.cwd, at_cwd);
        }
    }
    state_->measure();
}

const File* FileLedger::find(FileId id) const {
    Entry* entry = state_->names.files().find(id);
    if (entry == nullptr) {
        return nullptr;
    }
    state_->names.files().fill_paths(*entry);
    state_->measure();
    return &entry->file;
}

const File* FileLedger::find(std::string_view absolute_path, std::vector<const Change*>* through) const {
    if (!absolute(absolute_path) || absolute_path.size() > path_bytes) {
        return nullptr;
    }
    const std::string path = normal_path(absolute_path);
    const std::string real = state_->names.follow(path, true, through);
    const PathTree::Node* node = real.empty() ? nullptr : state_->names.tree().locate(real);
    return node != nullptr && node->id ? find(*node->id) : nullptr;
}

bool FileLedger::is_another(FileId id, std::string_view absolute_path) const {
    return is_anonymous(id) && absolute(absolute_path) && absolute_path.size() <= path_bytes &&
           state_->names.is_another(id, normal_path(absolute_path));
}

const File* FileLedger::find_unplaced(std::string_view absolute_path) const {
    const std::string path = normal_path(absolute_path);
    const auto name = last_component(path);
    const auto above = std::string_view(path).substr(0, path.size() - name.size());
    const auto* const directory =
        above.size() < 2 ? nullptr : state_->names.tree().locate(above.substr(0, above.size() - 1));
    const bool known = directory != nullptr && directory->id && state_->names.directory(*directory->id) == directory;
    for (auto one = state_->unplaced.rbegin(); one != state_->unplaced.rend(); ++one) {
        const bool elsewhere = known && one->directory.inode != 0 && *directory->id != one->directory;
        const auto* file = one->name == name && !elsewhere ? find(one->file) : nullptr;
        if (file != nullptr && !file->deleted) {
            return file;
        }
    }
    return nullptr;
}

ResolvedPath FileLedger::resolve(std::string_view name, std::optional<std::string_view> cwd,
                                 std::optional<FileId> parent, bool at_cwd) const {
    return state_->names.resolve(name, cwd, parent, at_cwd);
}

void FileLedger::expire(std::int64_t horizon_ms) {
    state_->names.files().expire(horizon_ms);
    state_->measure();
}
bool FileLedger::give_way() {
    const bool gone = state_->names.give_way() || state_->unplaced.give_way();
    state_->measure();
    return gone;
}
std::size_t FileLedger::size() const {
    return state_->names.files().size();
}
std::uint64_t FileLedger::evicted() const {
    return state_->names.files().evicted();
}
std::int64_t FileLedger::evicted_until_ms() const {
    return state_->names.files().evicted_until_ms();
}
std::size_t FileLedger::memory() const {
    return state_->charge.bytes();
}

void FileLedger::save(base::Packer& out) const {
    state_->names.save(out);
    out(state_->unplaced);
}
void FileLedger::load(base::Unpacker& in) {
    state_->names.load(in);
    in(state_->unplaced);
    state_->measure();
}

} // namespace luatrail::host
