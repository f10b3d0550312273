#include "detect/chain.hpp"

#include <algorithm>
#include <array>

#include "detect/births.hpp"
#include "detect/context.hpp"
#include "detect/file_identity.hpp"
#include "detect/places.hpp"
#include "detect/trust.hpp"
#include "luatrail/audit/field.hpp"
#include "luatrail/base/kernel_path.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {
namespace {

// Where the kernel keeps files in memory on every distribution (tmpfs; file-hierarchy(7), shm_overview(7)).
constexpr std::array shared_memory_directories = {std::string_view{"/dev/shm/"}, std::string_view{"/run/shm/"}};

bool in_shared_memory(std::string_view path) {
    return std::any_of(shared_memory_directories.begin(), shared_memory_directories.end(),
                       [&](std::string_view directory) { return path.starts_with(directory); });
}

std::optional<How> how_of(const host::Change& change, const ProfileSet& profiles) {
    switch (change.kind) {
    case host::ChangeKind::create:
    case host::ChangeKind::write:
        if (change.by_exe && profiles.is(ProgramKind::archiver, *change.by_exe)) {
            return How::unpack;
        }
        return change.kind == host::ChangeKind::create ? How::create : How::write;
    case host::ChangeKind::rename:
        return How::rename;
    case host::ChangeKind::link:
        return How::link;
    case host::ChangeKind::symlink:
        return How::symlink;
    case host::ChangeKind::chmod:
        return How::chmod;
    case host::ChangeKind::mount:
        return How::mount;
    case host::ChangeKind::unlink:
        break;
    }
    return std::nullopt;
}

// An event's time is that of its call's entry, so a change that ended before the run may carry a slightly later stamp.
constexpr std::int64_t clock_slack_ms = 1000;

// A package manager's own transaction is no drop. By its whole path, as root, not one that runs Lua for somebody, and
// not itself dropped or another file that was put there: a copy or an argument of that name fools nobody. An inventory
// that is newer than the change says whether a package owns the file: what the manager writes elsewhere, or has a
// package's script write, is a drop like any other.
struct PackageManagers {
    const Node& node;
    const EngineOptions& options;

    bool made(const host::Change& change) const {
        const auto* process = node.processes.find(change.by);
        return change.by_exe && change.by_uid == 0U &&
               options.profiles.is(ProgramKind::package_manager, *change.by_exe) &&
               (process == nullptr || node.files.find(*change.by_exe) == nullptr) && !is_impostor(node, change) &&
               !node.runs.has(change.by) && owned_after(change);
    }

    bool owned_after(const host::Change& change) const {
        const auto& inventory = options.inventory;
        return !inventory || inventory->built_ms <= change.event.time_ms ||
               inventory->owner(path_of(change)).has_value();
    }

    // dpkg unpacks "NAME.dpkg-new", rpm "NAME;HEX", and gives the file its name afterwards.
    static std::string_view path_of(const host::Change& change) {
        std::string_view path = change.path;
        constexpr std::string_view fresh = ".dpkg-new";
        if (path.ends_with(fresh)) {
            return path.substr(0, path.size() - fresh.size());
        }
        const auto semicolon = path.rfind(';');
        return semicolon == std::string_view::npos || path.find('/', semicolon) != std::string_view::npos
                   ? path
                   : path.substr(0, semicolon);
    }
};

// A change as a drop, where it counts as one at that time.
std::optional<ChainEntry> drop_of(const Node& node, const EngineOptions& options, ChainKind kind,
                                  const host::Change& change, host::ProcessRef run, std::int64_t now_ms) {
    const auto how = how_of(change, options.profiles);
    const auto age = now_ms - change.event.time_ms;
    if (!how || age > options.window_ms || age < -clock_slack_ms || PackageManagers{node, options}.made(change)) {
        return std::nullopt;
    }
    ChainEntry entry;
    entry.kind = kind;
    entry.how = how;
    entry.path = change.path.empty() ? std::nullopt : std::optional(change.path); // of an operation of io_uring
    entry.time_ms = change.event.time_ms;
    entry.age_ms = std::max<std::int64_t>(age, 0);
    entry.event = change.event;
    entry.by = Actor{.pid = change.by_pid, .exe = change.by_exe, .uid = change.by_uid};
    entry.same_tree = node.processes.same_tree(change.by, run);
    describe_actor(node, change.by, change.event, options.profiles, *entry.by);
    return entry;
}

// Of each kind that a finding holds: those of one file are at most 16, but a command line may name modules without end.
constexpr std::size_t most_drops = 32;

struct ChainBuilder {
    const Node& node;
    const Invoked& run;
    const EngineOptions& options;
    Finding& finding;

    std::int64_t now() const { return run.event->id.time_ms; }

    std::size_t count(ChainKind kind) const {
        return static_cast<std::size_t>(std::count_if(finding.chain.begin(), finding.chain.end(),
                                                      [kind](const ChainEntry& entry) { return entry.kind == kind; }));
    }

    void add_change(ChainKind kind, const host::Change& change) {
        auto entry = drop_of(node, options, kind, change, run.process, now());
        if (!entry) {
            return;
        }
        if (count(kind) >= most_drops) {
            mark(Degraded::evicted);
            return;
        }
        // The exec named the same inode whole, which the change's own record could not.
        const bool unnamed =
            change.path_uncertain && base::basename(change.path) == base::basename(run.script_path.value_or(""));
        const bool named_by_run =
            (unnamed || change.path.empty()) && run.script && run.script_path && !run.path_uncertain;
        if (named_by_run) {
            entry->path = *run.script_path;
        }
        if (kind == ChainKind::interpreter_drop && run.interpreter.by == IdentifiedBy::copy) {
            if (const auto* maker = node.processes.find(change.by)) { // says what it copied
                entry->by->argv = maker->argv;
            }
        }
        finding.chain.push_back(std::move(*entry));
        if (change.path_uncertain && !named_by_run) {
            mark(Degraded::path_uncertain);
        }
    }

    void add_file(ChainKind kind, const host::File& file) {
        for (const auto& change : file.changes) {
            add_change(kind, change);
        }
    }

    // Of several scripts all run.
    void add_more_scripts() {
        for (const auto& name : run.invocation.more_scripts) {
            const bool known = name.starts_with('/') || run.event->cwd;
            const auto* file = known ? node.files.find(host::join_path(run.event->cwd.value_or("/"), name)) : nullptr;
            if (file != nullptr && !file->deleted) {
                add_file(ChainKind::script_drop, *file);
            }
        }
    }

    // What lies below a directory that was moved, or a place where something was mounted, within the window.
    void add_brought(ChainKind kind, std::string_view path) {
        if (path.empty()) {
            return;
        }
        for (const auto* place : places_above(node, path, run.process, options)) {
            add_change(kind, place->change);
        }
        if (node.moved_directories.lost_since(now() - options.window_ms)) {
            mark(Degraded::evicted);
        }
    }

    // Where no rule watches the directory, only the copier's own exec shows the copy.
    void add_copying() {
        const bool known = finding.has(ChainKind::interpreter_drop);
        const auto& copying = run.copying;
        const auto age = copying ? now() - copying->event.time_ms : 0;
        if (known || !copying || age > options.window_ms || age < 0) {
            return;
        }
        ChainEntry entry;
        entry.kind = ChainKind::interpreter_drop;
        entry.how = base::basename(copying->exe) == "ln" ? How::link : How::create;
        entry.path = finding.interpreter.exe;
        entry.time_ms = copying->event.time_ms;
        entry.age_ms = age;
        entry.event = copying->event;
        entry.by = Actor{.pid = copying->pid, .exe = copying->exe, .uid = copying->uid};
        entry.same_tree = node.processes.same_tree(copying->by, run.process);
        describe_actor(node, copying->by, copying->event, options.profiles, *entry.by);
        finding.chain.push_back(std::move(entry));
    }

    void add_artifact(ChainKind kind, std::string_view path) {
        ChainEntry entry;
        entry.kind = kind;
        entry.path = path;
        entry.event = run.event->id;
        finding.chain.push_back(std::move(entry));
    }

    // Lua looks for `-l a.b` as ./a/b.lua, ./a/b/init.lua and ./a/b.so before its own directories know better
    // (luaconf.h, LUA_PATH_DEFAULT).
    void add_modules() {
        constexpr std::array endings = {std::string_view{".lua"}, std::string_view{"/init.lua"},
                                        std::string_view{".so"}};
        for (std::string module : run.invocation.modules) {
            if (const auto equals = module.find('='); equals != std::string::npos) { // 5.4: -l name=module
                module.erase(0, equals + 1);
            }
            std::replace(module.begin(), module.end(), '.', '/');
            for (const auto ending : endings) {
                const auto* file = run.event->cwd
                                       ? node.files.find(host::join_path(*run.event->cwd, module + std::string(ending)))
                                       : nullptr;
                if (file != nullptr && !file->deleted) {
                    add_file(ChainKind::module_drop, *file);
                }
            }
        }
    }

    // A memfd that this process, or one above it, made as its descriptor `number` before the run; of several the last.
    const Memfd* memfd_of(std::optional<std::int64_t> number) {
        const auto above = [&](std::uint32_t pid) {
            return pid == finding.process.pid || std::any_of(finding.ancestors.begin(), finding.ancestors.end(),
                                                             [&](const Ancestor& one) { return one.pid == pid; });
        };
        const auto found = std::find_if(node.memfds.rbegin(), node.memfds.rend(), [&](const Memfd& memfd) {
            const auto age = now() - memfd.event.time_ms;
            return number == memfd.descriptor && age <= options.window_ms && age >= 0 && above(memfd.pid);
        });
        if (found == node.memfds.rend()) {
            if (node.memfds.lost_since(now() - options.window_ms)) {
                mark(Degraded::evicted); // it may have been one that had to go
            }
            return nullptr;
        }
        return &*found;
    }

    void add_memfd(const Memfd& memfd, std::string_view path) {
        ChainEntry entry;
        entry.kind = ChainKind::memfd;
        if (!path.empty()) {
            entry.path = path;
        }
        entry.time_ms = memfd.event.time_ms;
        entry.age_ms = now() - memfd.event.time_ms;
        entry.event = memfd.event;
        entry.by = Actor{.pid = memfd.pid, .exe = memfd.exe, .uid = memfd.uid};
        entry.same_tree = true;
        finding.chain.push_back(std::move(entry));
    }

    // "lua /proc/self/fd/3": the script lies in memory. Also by a link to that directory: a name that is the number of
    // a memfd of this very process.
    void add_script_memfd() {
        const auto origin = run.invocation.origin;
        if ((origin == Origin::descriptor || origin == Origin::script) && run.invocation.script) {
            if (const auto* memfd = memfd_of(audit::parse_decimal(base::basename(*run.invocation.script)))) {
                add_memfd(*memfd, {});
            }
        }
    }

    // The interpreter itself lies in memory: by the name that was run ("/proc/self/fd/3"), or execveat's descriptor.
    void add_interpreter_memfd(std::string_view exe) {
        const auto& event = *run.event;
        std::optional<std::int64_t> number;
        if (!event.paths.empty() && event.paths.front().name && !event.paths.front().name->empty()) {
            number = audit::parse_decimal(base::basename(*event.paths.front().name));
        } else if (event.syscall.call == audit::Call::execveat) {
            number = static_cast<std::int64_t>(event.syscall.a[0]);
        }
        if (const auto* memfd = memfd_of(number)) {
            add_memfd(*memfd, exe);
        } else {
            add_artifact(ChainKind::memfd, exe);
        }
    }

    void mark(Degraded mark) {
        if (std::find(finding.degraded.begin(), finding.degraded.end(), mark) == finding.degraded.end()) {
            finding.degraded.push_back(mark);
        }
    }
};

// A package's upgrade renames the old file before it deletes it: the same program. Where anybody may write, the name
// proves nothing.
bool was_upgraded(std::string_view path) {
    const bool packaged = (path.starts_with("/usr/") && !path.starts_with("/usr/local/")) ||
                          path.starts_with("/bin/") || path.starts_with("/sbin/") || path.starts_with("/lib");
    return packaged && program_path(path) != path;
}

} // namespace

void locate_script(const Node& node, Invoked& run) {
    const auto& invocation = run.invocation;
    if (!invocation.script) {
        return;
    }
    const auto& event = *run.event;
    for (const auto& item :
         event.paths) { // of a #! script the exec's own items name the file; execveat(2) of a descriptor gives no name
        if (item.name &&
            (*item.name == *invocation.script || (item.name->empty() && invocation.origin == Origin::descriptor))) {
            run.script = host::file_id_of(item);
            break;
        }
    }
    if (invocation.script->empty() || invocation.origin != Origin::script) {
        return;
    }
    if (invocation.script->front() == '/' || event.cwd) {
        const auto resolved = node.files.resolve(*invocation.script, event.cwd, std::nullopt, true);
        run.script_path = resolved.path;
        run.script_name = host::join_path(event.cwd.value_or("/"), *invocation.script);
        // It may as well lie where the program looks for what is not below the working directory.
        const bool searched = !invocation.script_elsewhere.empty() && node.files.find(*run.script_name) == nullptr;
        run.path_uncertain = resolved.uncertain || searched;
    }
}

void find_chain(const Node& node, const Invoked& run, const EngineOptions& options, Finding& finding) {
    ChainBuilder chain{node, run, options, finding};
    const auto exe = run.event->syscall.exe.value_or("");
    if (const auto* file = interpreter_file(node, *run.event)) {
        chain.add_file(ChainKind::interpreter_drop, *file);
    }
    chain.add_copying();
    std::vector<const host::Change*> through;
    const host::File* script = run.script ? node.files.find(*run.script) : nullptr;
    if (script != nullptr && run.script_name && node.files.is_another(*run.script, *run.script_name)) {
        script = nullptr;
        chain.mark(Degraded::identity_uncertain);
    }
    if (run.script_path) {
        const auto* by_path = node.files.find(*run.script_name, &through);
        if (script == nullptr && by_path != nullptr && !by_path->deleted &&
            (!run.script || by_path->id == *run.script)) {
            script = by_path;
        }
        if (script == nullptr && by_path == nullptr && !run.script) {
            script = node.files.find_unplaced(*run.script_name);
        }
    }
    // A file that was deleted is not what lies under a name now: its inode was given to another one, where nobody
    // looked.
    if (script != nullptr && !(script->deleted && run.script_path)) {
        chain.add_file(ChainKind::script_drop, *script);
        finding.code.inode = script->id.inode;
        const bool by_descriptor = !finding.code.path && run.invocation.origin == Origin::descriptor;
        if ((!through.empty() || by_descriptor) && script->paths.size() == 1) {
            finding.code.path = script->paths.front(); // where the links lead
        }
    }
    for (const auto* change : through) {
        chain.add_change(ChainKind::script_drop, *change);
    }
    chain.add_brought(ChainKind::script_drop, run.script_path.value_or(""));
    chain.add_brought(ChainKind::interpreter_drop, exe);
    chain.add_more_scripts();
    chain.add_modules();
    std::stable_sort(finding.chain.begin(), finding.chain.end(),
                     [](const ChainEntry& a, const ChainEntry& b) { return a.event < b.event; });
    const auto shared =
        run.script_path && in_shared_memory(*run.script_path) ? std::string_view(*run.script_path) : exe;
    if (in_shared_memory(shared)) {
        chain.add_artifact(ChainKind::shared_memory, shared);
    }
    chain.add_script_memfd();
    if (base::is_memfd(exe)) {
        chain.add_interpreter_memfd(exe);
    } else if (base::is_deleted(exe)) {
        const auto path = base::without_deleted(exe);
        if (!was_upgraded(path)) {
            chain.add_artifact(ChainKind::deleted_file, path);
        }
    }
    if (run.path_uncertain) {
        chain.mark(Degraded::path_uncertain);
    }
    if (run.invocation.reads_stdin && run.invocation.origin != Origin::stdin_code &&
        node.births.lost_since(chain.now() - pipeline_ms)) {
        chain.mark(Degraded::evicted); // it may have been in a pipeline
    }
    if (lies_unwatched(node, run, options, finding)) {
        chain.mark(Degraded::unwatched_directory);
    }
    // What the ledger had to forget within the window could have been this script's drop.
    if (run.invocation.origin == Origin::script && node.files.evicted_until_ms() != 0 &&
        node.files.evicted_until_ms() >= chain.now() - options.window_ms) {
        chain.mark(Degraded::evicted);
    }
}

std::vector<ChainEntry> drops_of_place(const Node& node, const EngineOptions& options, ChainKind kind,
                                       std::string_view path, host::ProcessRef run, std::int64_t now_ms) {
    std::vector<ChainEntry> made;
    if (node.moved_directories.empty()) { // nearly always
        return made;
    }
    for (const auto* place : places_above(node, path, run, options)) {
        if (auto entry = drop_of(node, options, kind, place->change, run, now_ms)) {
            made.push_back(std::move(*entry));
        }
    }
    return made;
}

std::vector<ChainEntry> drops_of_opened(const Node& node, const EngineOptions& options, ChainKind kind,
                                        const host::File& file, host::ProcessRef run, std::int64_t now_ms) {
    std::vector<ChainEntry> made;
    for (const auto& change : file.changes) {
        if (auto entry = drop_of(node, options, kind, change, run, now_ms)) {
            made.push_back(std::move(*entry));
        }
    }
    return made;
}

void add_shared_memory(Finding& finding) {
    for (const auto* path : {&finding.code.path, &finding.interpreter.exe}) {
        if (*path && in_shared_memory(**path)) {
            ChainEntry entry;
            entry.kind = ChainKind::shared_memory;
            entry.path = *path;
            entry.event = finding.events.front();
            finding.chain.push_back(std::move(entry));
            return;
        }
    }
}

} // namespace luatrail::detect
