#include "detect/identify.hpp"

#include <algorithm>

#include "detect/bounds.hpp"
#include "detect/ldd.hpp"
#include "detect/readings.hpp"
#include "luatrail/base/kernel_path.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {

// Items: of a #! script it, its interpreter, ld.so; else the program, under whatever name, and ld.so. A static program
// has no ld.so.
std::optional<host::FileId> id_of_interpreter(const audit::TypedEvent& event) {
    const auto is_exe = [&event](const audit::PathItem& item) {
        return item.name && event.syscall.exe && base::basename(*item.name) == base::basename(*event.syscall.exe);
    };
    const auto& items = event.paths;
    const bool script = items.size() > 2 || (items.size() == 2 && is_exe(items[1]) && !is_exe(items[0]));
    const std::size_t at = script ? 1 : 0;
    return at < items.size() ? host::file_id_of(items[at]) : std::nullopt;
}

namespace {

bool contains(const std::vector<std::string>& all, std::string_view word) {
    return std::find(all.begin(), all.end(), word) != all.end();
}

Identified behind_loader(std::string_view exe, const std::vector<std::string>& argv, const ProfileSet& profiles) {
    static const Loader unknown;
    const auto* known = profiles.loader(exe);
    known = known == nullptr ? profiles.loader("ld.so") : known; // a copy of it
    const auto& loader = known == nullptr ? unknown : *known;
    std::size_t at = 1;
    while (at < argv.size() && argv[at].size() > 1 && argv[at].starts_with('-') && argv[at] != "--") {
        if (contains(loader.ends, argv[at])) {
            return {};
        }
        at += contains(loader.values, argv[at]) ? 2 : 1;
    }
    at += at < argv.size() && argv[at] == "--" ? 1U : 0U;
    if (at >= argv.size()) {
        return {};
    }
    if (loader.argv0_follows && at + 1 < argv.size() && argv[at].starts_with('/') &&
        profiles.match(argv[at], argv[at + 1]).profile == profiles.match(argv[at + 1], argv[at + 1]).profile) {
        ++at;
    }
    const auto first = at + 1 < argv.size() ? std::string_view(argv[at + 1]) : std::string_view();
    auto match = profiles.match(argv[at], argv[at], first);
    const std::size_t offset = match.profile != nullptr && !match.profile->argv1.empty() ? at + 1 : at;
    match.by = IdentifiedBy::loader;
    return {match, offset};
}

// `cp /usr/bin/luajit updater`, `dd if=/usr/bin/lua`, `curl -O http://192.0.2.1/luajit`: a word that names one.
ProfileSet::Match named_in(std::string_view word, const ProfileSet& profiles) {
    if (const auto equals = word.find('='); equals != std::string_view::npos) {
        word.remove_prefix(equals + 1);
    }
    auto match = profiles.match(word, word);
    if (match.profile != nullptr && match.profile->embedded) {
        return {};
    }
    return match;
}

// Another name of the same file, as the ledger or an earlier run knows it.
Identified same_file(const Node& node, const audit::TypedEvent& event, const ProfileSet& profiles) {
    const auto id = id_of_interpreter(event);
    if (!id) {
        return {};
    }
    constexpr std::int64_t remembered_ms = 3'600'000; // an inode may be another file's after an upgrade
    const bool anonymous = host::is_anonymous(*id);   // or another subvolume's
    for (auto known = node.interpreters.rbegin(); known != node.interpreters.rend() && !anonymous; ++known) {
        if (known->id == *id && known->profile != loader_profile && known->profile != library_profile &&
            event.id.time_ms - known->last_ms < remembered_ms) {
            return {{profiles.named(known->profile), IdentifiedBy::inode}, 0, {}};
        }
    }
    if (const auto* file = interpreter_file(node, event)) {
        for (const auto& change : file->changes) { // a name that it has or had
            if (auto match = named_in(change.path, profiles); match.profile != nullptr) {
                return {{match.profile, IdentifiedBy::inode}, 0, {}};
            }
        }
        for (const auto& path : file->paths) {
            if (auto match = named_in(path, profiles); match.profile != nullptr) {
                return {{match.profile, IdentifiedBy::inode}, 0, {}};
            }
        }
    }
    return {};
}

// How a path relates to what a copier was asked to make: that very file, one below a directory that it copied, or
// neither.
enum class Target : std::uint8_t { same, below, other };

Target target_of(const Copying& copy, std::string_view path) {
    if (copy.target.empty() || !path.starts_with(copy.target)) {
        return Target::other;
    }
    const auto rest = path.substr(copy.target.size());
    if (rest.empty() || (rest.front() == '/' && rest.substr(1) == base::basename(copy.what))) {
        return Target::same;
    }
    return rest.front() == '/' ? Target::below : Target::other;
}

// Whether the copier is who made this change. A shell's redirection is done by the process that then becomes the
// copier, or by the shell that starts it.
bool made(const Copying& copy, const host::Change& change) {
    constexpr std::int64_t near_ms = 60'000, at_once_ms = 1000;
    const auto apart = change.event.time_ms - copy.event.time_ms;
    return (copy.pid == change.by_pid && apart > -near_ms && apart < near_ms) ||
           (copy.parent == change.by_pid && apart > -at_once_ms && apart <= 0);
}

// A file written by a program that was asked to copy an interpreter. Where no rule watches the directory, the copier's
// last word decides.
const Copying* copying_of(const Node& node, const host::File* file, std::string_view path) {
    for (auto copy = node.copies.rbegin(); copy != node.copies.rend(); ++copy) {
        const auto target = target_of(*copy, path);
        const bool by_word = target == Target::same && file == nullptr;
        const bool by_change = target != Target::below && file != nullptr && !is_one_beside(*copy, path) &&
                               std::any_of(file->changes.begin(), file->changes.end(),
                                           [copy](const host::Change& change) { return made(*copy, change); });
        if (by_word || by_change) {
            return &*copy;
        }
    }
    return nullptr;
}

Identified copied_file(const Node& node, const host::File* file, std::string_view path, const ProfileSet& profiles) {
    const auto* copy = copying_of(node, file, path);
    if (copy == nullptr) {
        return {};
    }
    return {{profiles.named(copy->profile), IdentifiedBy::copy}, 0, copy->what, *copy, false, false, copy->others};
}

bool copies_loader(const Node& node, const host::File* file, std::string_view path) {
    const auto* copy = copying_of(node, file, path);
    return copy != nullptr && copy->profile == loader_profile;
}

// A file written by who had read an interpreter.
Identified copy_by_reader(const Node& node, const host::File* file, const ProfileSet& profiles) {
    if (file == nullptr) {
        return {};
    }
    if (const auto* reading = copied_by_reader(node, *file, profiles)) {
        return {
            {profiles.named(reading->profile), IdentifiedBy::copy}, 0, reading->what, {}, true, false, reading->others};
    }
    if (const auto* reading = copied_by_user(node, *file, profiles)) {
        return {{profiles.named(reading->profile), IdentifiedBy::copy}, 0, reading->what, {}, false, true};
    }
    return {};
}

// What it calls itself, where nothing else is known. A program that a package brought as something else keeps its name.
Identified by_its_own_name(std::string_view exe, std::string_view argv0, const EngineOptions& options) {
    auto match = options.profiles.match(argv0, argv0);
    if (match.profile == nullptr || match.profile->embedded) {
        return {};
    }
    const auto owner = options.inventory ? options.inventory->owner(exe) : std::nullopt;
    if (owner && owner->file->kind != inventory::FileKind::interpreter) {
        return {};
    }
    match.by = IdentifiedBy::argv0;
    return {match, 0, {}};
}

Identified by_package(std::string_view exe, const EngineOptions& options) {
    if (!options.inventory) {
        return {};
    }
    const auto path = options.inventory->canonical(exe);
    for (const auto& one : options.inventory->interpreters) {
        if (one.path == path) {
            return {{options.profiles.named(one.profile), IdentifiedBy::package}, 0, {}};
        }
    }
    return {};
}

void learn(Node& node, const audit::TypedEvent& event, const Identified& found) {
    const auto id = id_of_interpreter(event);
    const bool by_name = found.match.by == IdentifiedBy::path || found.match.by == IdentifiedBy::package;
    if (id && by_name && !found.match.profile->embedded && found.offset == 0) {
        learn_file(node, *id, found.match.profile->name, event.id.time_ms);
    }
}

// The dynamic loader under another name: the same inode, or a copy by who was asked to copy it.
bool is_loader(const Node& node, const audit::TypedEvent& event) {
    const auto id = id_of_interpreter(event);
    const bool known = id && std::any_of(node.interpreters.begin(), node.interpreters.end(), [&](const auto& one) {
                           return one.id == *id && one.profile == loader_profile;
                       });
    return known ||
           (!node.copies.empty() && copies_loader(node, interpreter_file(node, event), event.syscall.exe.value_or("")));
}

// What is a copy by its path, whoever made it.
Identified copied_under(const Node& node, const std::string& path, const ProfileSet& profiles) {
    if (path.empty() || (node.copies.empty() && node.readings.empty())) {
        return {};
    }
    const auto* file = node.files.find(path);
    auto found = copied_file(node, file, path, profiles);
    return found.match.profile != nullptr ? found : copy_by_reader(node, file, profiles);
}

// What the loader runs may be a copy under any name, which need not even be executable.
Identified copy_behind_loader(const Node& node, const audit::TypedEvent& event, std::string_view name,
                              std::size_t offset, const ProfileSet& profiles) {
    auto found = copied_under(node, host::join_path(event.cwd.value_or("/"), name), profiles);
    found.offset = offset;
    return found;
}

Identified search(const Node& node, const audit::TypedEvent& event, const Program& program, bool called_one,
                  const EngineOptions& options) {
    const auto exe = event.syscall.exe.value_or("");
    const auto& argv = event.execve.argv;
    const auto& profiles = options.profiles;
    const auto word = [&argv](std::size_t at) {
        return at < argv.size() ? std::string_view(argv[at]) : std::string_view();
    };
    Identified by_name;
    if (program.interpreter) {
        if (const auto match = profiles.match(exe, word(0), word(1)); match.profile != nullptr) {
            by_name = {match, match.profile->argv1.empty() ? 0U : 1U, {}};
        }
    }
    // A program that was brought may have any name: that of an editor hides no interpreter.
    const auto* file = interpreter_file(node, event);
    if (by_name.match.profile != nullptr && (file == nullptr || !by_name.match.profile->embedded)) {
        return by_name;
    }
    if (base::is_memfd(exe)) { // its name is its maker's choice; what it calls itself is the only hint
        auto match = profiles.match(word(0), word(0));
        match.by = IdentifiedBy::argv0;
        return {match, 0, {}};
    }
    if (program.loader || is_loader(node, event)) {
        auto found = behind_loader(exe, argv, profiles);
        if (found.match.profile == nullptr && found.offset > 0 && found.offset < argv.size()) {
            found = copy_behind_loader(node, event, argv[found.offset], found.offset, profiles);
        }
        if (found.match.profile != nullptr) {
            return found;
        }
    }
    if (auto found = by_package(exe, options); found.match.profile != nullptr) {
        return found;
    }
    if (auto found = same_file(node, event, profiles); found.match.profile != nullptr) {
        return found;
    }
    auto copied = copied_file(node, file, exe, profiles);
    const bool asked = copied.copying && !copied.copying->target.empty(); // to copy it, not only told of a copy
    if (copied.match.profile == nullptr || !asked) {
        if (auto found = copy_by_reader(node, file, profiles); found.match.profile != nullptr) {
            return found;
        }
    }
    if (copied.match.profile != nullptr) {
        return copied;
    }
    if (by_name.match.profile != nullptr) {
        return by_name;
    }
    return called_one ? by_its_own_name(exe, word(0), options) : Identified{};
}

} // namespace

void learn_file(Node& node, const host::FileId& id, std::string_view profile, std::int64_t now_ms) {
    const auto known = std::find_if(node.interpreters.begin(), node.interpreters.end(),
                                    [&](const KnownInterpreter& one) { return one.id == id; });
    KnownInterpreter now{id, std::string(profile), now_ms};
    if (known == node.interpreters.end()) {
        node.interpreters.keep(std::move(now));
    } else {
        node.interpreters.replace(known, std::move(now));
    }
}

const host::File* interpreter_file(const Node& node, const audit::TypedEvent& event) {
    const auto id = id_of_interpreter(event);
    const bool another = id && host::is_anonymous(*id) && event.syscall.exe &&
                         node.files.is_another(*id, base::without_deleted(*event.syscall.exe));
    return id && !another ? node.files.find(*id) : nullptr;
}

std::string words_beside(const std::vector<std::string>& argv, std::string_view what) {
    constexpr std::size_t most = 16;
    std::string words;
    std::size_t count = 0;
    for (std::size_t at = 1; at < argv.size() && count < most; ++at) {
        const std::string_view word = argv[at]; // one without a slash may be an option's letters, or an archive
        if (word.starts_with('/') && base::basename(word) != base::basename(what)) {
            words.append(words.empty() ? 0 : 1, '\0').append(word);
            ++count;
        }
    }
    return cut(words);
}

bool is_one_beside(const Copying& copying, std::string_view path) {
    const auto name = base::basename(path);
    for (std::string_view rest = copying.others; !rest.empty();) {
        const auto word = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        if (word == path) {
            return false; // what it was told to make
        }
        const auto other = base::basename(word);
        const bool temporary = name.starts_with('.') && name.substr(1).starts_with(other) &&
                               name.substr(1 + other.size()).starts_with('.');
        if (!other.empty() && (name == other || temporary)) {
            return true;
        }
    }
    return false;
}

void note_copying(Node& node, const audit::TypedEvent& event, host::ProcessRef by, const Program& program,
                  const ProfileSet& profiles) {
    constexpr std::size_t most_words = 64;
    if (!program.copies && node.copies.empty() && node.readings.empty()) {
        return; // nearly always
    }
    const auto& argv = event.execve.argv;
    const auto whole = [&event](const std::string& word) {
        return event.cwd || word.starts_with('/') ? host::join_path(event.cwd.value_or("/"), word) : std::string();
    };
    for (std::size_t at = 1; at < argv.size() && at < most_words; ++at) {
        auto named = program.copies ? named_in(argv[at], profiles) : ProfileSet::Match{};
        std::string what = argv[at];
        std::string others = named.profile == nullptr ? std::string() : words_beside(argv, what);
        // Where no rule watches, a copier's last word is all that is known of its copy; it may be a directory.
        const bool may_be_copy = program.copies ? at + 1 < argv.size() : node.files.find(whole(argv[at])) != nullptr;
        if (named.profile == nullptr && may_be_copy) { // a copy of a copy, or an archive with one in it
            if (auto found = copied_under(node, whole(argv[at]), profiles); found.match.profile != nullptr) {
                named = found.match;
                what = found.copy_of.value_or(what);
                others = std::move(found.others);
            }
        }
        const bool loader = program.copies && named.profile == nullptr && profiles.is(ProgramKind::loader, argv[at]);
        if (named.profile != nullptr || loader) {
            const bool to_last = program.copies && at + 1 < argv.size();
            node.copies.keep({.event = event.id,
                              .by = by,
                              .pid = event.syscall.pid.value_or(0),
                              .parent = event.syscall.ppid.value_or(0),
                              .uid = event.syscall.uid,
                              .exe = cut(event.syscall.exe.value_or("")),
                              .what = cut(what),
                              .target = to_last ? cut(whole(argv.back())) : std::string(),
                              .profile = loader ? std::string(loader_profile) : named.profile->name,
                              .others = std::move(others)});
            return;
        }
    }
}

// Of a dynamically linked program the last item is its loader.
static void note_loader(Node& node, const audit::TypedEvent& event, const ProfileSet& profiles) {
    constexpr std::int64_t again_ms = 60'000;
    const auto& items = event.paths;
    const auto id = items.size() < 2 ? std::nullopt : host::file_id_of(items.back());
    if (!id || !items.back().name) {
        return;
    }
    const auto known = std::find_if(node.interpreters.begin(), node.interpreters.end(),
                                    [&](const KnownInterpreter& one) { return one.id == *id; });
    const bool fresh = known != node.interpreters.end() && event.id.time_ms - known->last_ms < again_ms;
    if (!fresh && profiles.is(ProgramKind::loader, *items.back().name)) {
        learn_file(node, *id, loader_profile, event.id.time_ms);
    }
}

Identified identify(Node& node, const audit::TypedEvent& event, const Program& program, bool called_one,
                    const EngineOptions& options) {
    auto found = search(node, event, program, called_one, options);
    note_loader(node, event, options.profiles);
    if (found.match.profile == nullptr || lists_libraries(node, event, options.profiles)) {
        return {};
    }
    learn(node, event, found);
    return found;
}

} // namespace luatrail::detect
