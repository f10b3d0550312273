#include "detect/evidence.hpp"

#include <algorithm>

#include <fcntl.h>

#include "detect/bounds.hpp"
#include "detect/chain.hpp"
#include "detect/context.hpp"
#include "detect/follow.hpp"
#include "detect/opened_code.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/detect/invocation.hpp"
#include "luatrail/host/file_event.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::detect {
namespace {

struct OpenedCode {
    std::string path;
    host::FileId id;
    std::vector<ChainEntry> drops;
};

// What was opened, where it was dropped within the window, and not by the process itself.
std::optional<OpenedCode> dropped_code(const Node& node, const audit::TypedEvent& event, const host::Process& process,
                                       host::ProcessRef who, const Profile& profile, const EngineOptions& options) {
    for (const auto& item : event.paths) {
        const auto id = item.nametype == audit::PathItem::NameType::normal ? host::file_id_of(item) : std::nullopt;
        const auto* file = id && item.name ? opened_file(node, event, item, *id) : nullptr;
        const bool unknown = file == nullptr || file->deleted;
        if (!id || !item.name || (unknown && node.moved_directories.empty())) {
            continue;
        }
        auto path = node.files.resolve(*item.name, event.cwd, {}, true).path;
        if (!runs_opened(process, profile, event, item, path)) {
            continue;
        }
        auto drops = unknown ? drops_of_place(node, options, ChainKind::script_drop, path, who, event.id.time_ms)
                             : drops_of_opened(node, options, ChainKind::script_drop, *file, who, event.id.time_ms);
        leave_out_own_work(profile, process, path, drops);
        if (!unknown) {
            leave_out_work_by_hand(node, profile, process, *file, drops);
        }
        std::erase_if(drops, [&](const ChainEntry& entry) { // not what was another program before it
            return entry.by && entry.by->pid == process.pid && entry.by->exe == process.exe;
        });
        for (auto& entry : drops) {
            entry.path = entry.path ? entry.path : path;
        }
        if (!drops.empty()) {
            return OpenedCode{std::move(path), *id, std::move(drops)};
        }
    }
    return std::nullopt;
}

void add_drops(const Node& node, const EngineOptions& options, ChainKind kind, std::string_view path,
               host::ProcessRef who, Finding& finding) {
    const auto* file = node.files.find(path);
    if (file == nullptr || file->deleted) {
        return;
    }
    for (auto& entry : drops_of_opened(node, options, kind, *file, who, finding.time_ms)) {
        finding.chain.push_back(std::move(entry));
    }
}

// The rest of a finding whose code is known: what was done to the program itself, who ran it, whether that is expected.
Finding completed(const Node& node, host::ProcessRef who, const EngineOptions& options, Finding finding) {
    if (finding.interpreter.exe) {
        add_drops(node, options, ChainKind::interpreter_drop, *finding.interpreter.exe, who, finding);
    }
    add_shared_memory(finding);
    std::stable_sort(finding.chain.begin(), finding.chain.end(),
                     [](const ChainEntry& a, const ChainEntry& b) { return a.event < b.event; });
    add_circumstances(node, who, options, finding);
    return finding;
}

std::optional<Finding> run_of_code(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                   const EngineOptions& options) {
    const auto& process = *node.processes.find(who);
    const auto* profile = profile_of(process, options.profiles);
    auto code = profile == nullptr ? std::nullopt : dropped_code(node, event, process, who, *profile, options);
    if (!code) {
        return std::nullopt;
    }
    auto finding = describe_image(node, event, who, profile->name);
    finding.interpreter.jit = profile->jit;
    finding.code.origin = profile->embedded ? Origin::embedded : Origin::script;
    finding.code.path = std::move(code->path);
    finding.code.inode = code->id.inode;
    finding.chain = std::move(code->drops);
    return completed(node, who, options, std::move(finding));
}

// Programs that read files of all kinds as ld.so opens a library; copiers do not. One that was dropped under such a
// name is none.
bool reads_anything(const Node& node, std::string_view exe, const ProfileSet& profiles) {
    const auto kind = profiles.kind_of(exe);
    const bool reads = kind == ProgramKind::archiver || kind == ProgramKind::package_manager;
    return reads && node.files.find(exe) == nullptr;
}

// A library by the full name of its version ("liblua5.4.so.0.0.0") is what backups and checksum tools open: programs
// are linked against the short one. Code on a command line may load it by that name.
bool is_found_by_walking(const host::Process& process, std::string_view path) {
    const auto name = base::basename(path);
    const auto at = name.find(".so.");
    const bool full = at != std::string_view::npos && name.find('.', at + 4) != std::string_view::npos;
    return full && std::none_of(process.argv.begin(), process.argv.end(),
                                [name](const std::string& word) { return word.find(name) != std::string::npos; });
}

// What could be absolute paths in the words of a command line, also within the code of another language.
std::vector<std::string_view> paths_named(const std::vector<std::string>& argv) {
    constexpr std::size_t most = 64;
    constexpr std::string_view ends = " \t\n'\"`()[]{}<>,;|&$*?";
    std::vector<std::string_view> found;
    for (std::size_t word = 1; word < argv.size(); ++word) {
        std::string_view text = argv[word];
        while (found.size() < most && text.find('/') != std::string_view::npos) {
            text.remove_prefix(text.find('/'));
            const auto path = text.substr(0, text.find_first_of(ends));
            found.push_back(path);
            text.remove_prefix(path.size());
        }
        if (!argv[word].empty() && argv[word].front() != '-' && argv[word].front() != '/') {
            found.push_back(argv[word]); // relative
        }
    }
    return found;
}

// By its name, or as a file that had such a name.
bool is_library(const Node& node, const audit::PathItem& item) {
    const auto id = host::file_id_of(item);
    return inventory::is_lua_library(*item.name) ||
           (id && std::any_of(node.interpreters.begin(), node.interpreters.end(), [&](const KnownInterpreter& one) {
                return one.id == *id && one.profile == library_profile;
            }));
}

std::optional<Finding> run_of_library(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                      const EngineOptions& options) {
    const auto exe = event.syscall.exe.value_or("");
    const auto library = std::find_if(event.paths.begin(), event.paths.end(),
                                      [&](const audit::PathItem& item) { return item.name && is_library(node, item); });
    if (library == event.paths.end() || !as_a_loader_opens(event) || reads_anything(node, exe, options.profiles)) {
        return std::nullopt;
    }
    if (is_found_by_walking(*node.processes.find(who), *library->name) && node.files.find(exe) == nullptr) {
        return std::nullopt;
    }
    const auto owner = options.inventory ? options.inventory->owner(exe) : std::nullopt;
    if (owner && (owner->package->is_lua || !owner->package->depends_on_lua.empty())) {
        return std::nullopt;
    }
    auto finding = describe_image(node, event, who, "library");
    finding.interpreter.identified_by = IdentifiedBy::library;
    finding.interpreter.copy_of = cut(*library->name);
    finding.code.origin = Origin::library;
    add_named_drops(node, event, *node.processes.find(who), who, options, Named::code, finding);
    return completed(node, who, options, std::move(finding));
}

Finding finding_of_words(const Node& node, const audit::TypedEvent& event, host::ProcessRef who, const Profile& profile,
                         IdentifiedBy by, const Invocation& invocation, const EngineOptions& options) {
    auto finding = describe_image(node, event, who, profile.name);
    finding.interpreter.identified_by = by;
    finding.interpreter.jit = profile.jit;
    finding.code.origin = invocation.origin;
    finding.code.argument = invocation.script;
    finding.code.inline_text = invocation.inline_text;
    if (invocation.script && !invocation.script->empty()) {
        finding.code.path = absolute(event, *invocation.script);
        add_drops(node, options, ChainKind::script_drop, *finding.code.path, who, finding);
    }
    return completed(node, who, options, std::move(finding));
}

Invocation words_from(const std::vector<std::string>& argv, std::size_t at, const Profile& profile,
                      const audit::TypedEvent& event) {
    return parse_invocation(profile, {.argv = std::span(argv).subspan(std::min(at, argv.size())),
                                      .missing = {},
                                      .truncated = false,
                                      .terminal = event.syscall.tty.has_value()});
}

// The dynamic loader, or a program that was dropped, opens an interpreter that its own command line names, whatever the
// name: it starts it.
std::optional<Finding> run_of_loader(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                     const Program& program, const Profile* read, const EngineOptions& options) {
    const auto exe = event.syscall.exe.value_or("");
    const auto& process = *node.processes.find(who);
    if ((!program.loader && node.files.find(exe) == nullptr) || event.paths.empty() || !event.paths.front().name) {
        return std::nullopt;
    }
    const auto opened = absolute(event, *event.paths.front().name);
    const auto& argv = process.argv;
    const auto named = std::find_if(argv.begin() + (argv.empty() ? 0 : 1), argv.end(),
                                    [&](const std::string& word) { return absolute(event, word) == opened; });
    if (named == argv.end()) {
        return std::nullopt;
    }
    const auto* profile = options.profiles.match(*named, *named).profile;
    if (program.loader && profile != nullptr) {
        return std::nullopt; // its exec said what it does
    }
    profile = profile == nullptr ? read : profile;
    if (profile == nullptr || profile->embedded) {
        return std::nullopt;
    }
    const auto at = static_cast<std::size_t>(named - argv.begin());
    return finding_of_words(node, event, who, *profile, IdentifiedBy::loader, words_from(argv, at, *profile, event),
                            options);
}

// The kernel compares exe= by the file, not by its name: who opens files under the key of the rules for interpreters,
// and is none by its name, is one by another (a hard link that is older than the log). It opens what its words name.
std::optional<Finding> run_of_another_name(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                           const EngineOptions& options) {
    constexpr std::string_view key = "luatrail-lua";
    const auto* profile = options.profiles.named("lua");
    const bool asked = event.syscall.key && event.syscall.key->find(key) != std::string_view::npos;
    if (!asked || profile == nullptr || event.paths.empty() || !event.paths.front().name) {
        return std::nullopt;
    }
    const auto invocation = words_from(node.processes.find(who)->argv, 0, *profile, event);
    if (!invocation.script || absolute(event, *invocation.script) != absolute(event, *event.paths.front().name)) {
        return std::nullopt;
    }
    return finding_of_words(node, event, who, *profile, IdentifiedBy::inode, invocation, options);
}

} // namespace

bool as_a_loader_opens(const audit::TypedEvent& event) {
    const auto& row = audit::system_call(event.syscall.call);
    constexpr std::uint64_t large_file = 0100000; // added by 32-bit programs
    return row.arguments.flags >= 0 && (event.syscall.a[row.arguments.flags] & ~large_file) == O_CLOEXEC;
}

const Profile* profile_of(const host::Process& process, const ProfileSet& profiles) {
    const auto word = [&process](std::size_t at) {
        return at < process.argv.size() ? std::string_view(process.argv[at]) : std::string_view();
    };
    return process.exe ? profiles.match(*process.exe, word(0), word(1)).profile : nullptr;
}

void add_named_drops(const Node& node, const audit::TypedEvent& event, const host::Process& process,
                     host::ProcessRef who, const EngineOptions& options, Named which, Finding& finding) {
    for (const auto& name : paths_named(process.argv)) {
        auto path = absolute(event, name);
        const auto before = finding.chain.size();
        if (which == Named::any_file || has_code_ending(path, false)) {
            add_drops(node, options, ChainKind::script_drop, path, who, finding);
        }
        if (finding.chain.size() > before) {
            finding.code.path = std::move(path);
            return;
        }
    }
}

std::optional<Finding> run_by_open(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                                   const Program& program, const Profile* read, const EngineOptions& options) {
    if (node.processes.find(who) == nullptr) {
        return std::nullopt;
    }
    // A program may be one with some arguments only (perl that runs resty).
    if (program.interpreter && profile_of(*node.processes.find(who), options.profiles) != nullptr) {
        const bool changed = std::any_of(event.paths.begin(), event.paths.end(), [&](const audit::PathItem& item) {
            const auto id = host::file_id_of(item);
            return id && node.files.find(*id) != nullptr;
        });
        return changed || !node.moved_directories.empty() ? run_of_code(node, event, who, options)
                                                          : std::nullopt; // nearly all opens are of old files
    }
    if (auto finding = run_of_library(node, event, who, options)) {
        return finding;
    }
    if (auto finding = run_of_loader(node, event, who, program, read, options)) {
        return finding;
    }
    return run_of_another_name(node, event, who, options);
}

} // namespace luatrail::detect
