#include "detect/readings.hpp"

#include <algorithm>
#include <array>

#include "detect/bounds.hpp"
#include "detect/identify.hpp"
#include "detect/trust.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/host/file_event.hpp"
#include "luatrail/host/paths.hpp"

namespace luatrail::detect {

namespace {

// The rules that report such readings have it; other rules may report them, too.
constexpr std::string_view read_key = "luatrail-read";

bool is_trusted_manager(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                        const ProfileSet& profiles) {
    const auto exe = event.syscall.exe.value_or("");
    return event.syscall.uid == 0U && profiles.is(ProgramKind::package_manager, exe) &&
           node.files.find(exe) == nullptr && !is_impostor(node, who, event.id.time_ms);
}

// The interpreter that an item is; "" where it is none. An inode that ran as one is one under any name.
std::string_view interpreter_of(const Node& node, const audit::PathItem& item, bool asked_for, Programs& programs,
                                const EngineOptions& options) {
    const auto name = *item.name;
    if (name.find("lua") != std::string_view::npos && programs.of(name, options.profiles).interpreter) {
        const auto* profile = options.profiles.match(name, name).profile;
        if (profile != nullptr && !profile->embedded) {
            return profile->name;
        }
    }
    const auto id = host::file_id_of(item);
    const auto known = std::find_if(node.interpreters.begin(), node.interpreters.end(), [&](const auto& one) {
        return id && one.id == *id && one.profile != loader_profile;
    });
    if (known != node.interpreters.end()) {
        return known->profile == library_profile ? std::string_view() : known->profile;
    }
    if (!asked_for) {
        return {};
    }
    return inventory::is_lua_library(name) || options.profiles.named("lua") == nullptr ? std::string_view() : "lua";
}

// Of what the next reading pushes out the latest of each user is kept.
void remember_what_goes(Node& node) {
    if (node.readings.size() < Recent<Copying>::most) {
        return;
    }
    const auto& oldest = *node.readings.begin();
    const auto known = std::find_if(node.lost_readings.begin(), node.lost_readings.end(),
                                    [&](const Copying& one) { return one.uid == oldest.uid; });
    if (known == node.lost_readings.end()) {
        node.lost_readings.keep(oldest);
    } else {
        node.lost_readings.replace(known, oldest);
    }
}

} // namespace

const Profile* note_reading(Node& node, const audit::TypedEvent& event, host::ProcessRef who, Programs& programs,
                            const EngineOptions& options) {
    const bool asked_for = event.syscall.key && event.syscall.key->find(read_key) != std::string_view::npos;
    for (const auto& item : event.paths) {
        if (item.nametype != audit::PathItem::NameType::normal || !item.name) {
            continue;
        }
        if (const auto id = host::file_id_of(item); id && inventory::is_lua_library(*item.name)) {
            learn_file(node, *id, library_profile, event.id.time_ms);
            continue;
        }
        const auto profile = interpreter_of(node, item, asked_for, programs, options);
        if (profile.empty() || is_trusted_manager(node, event, who, options.profiles)) {
            continue;
        }
        Copying reading{.event = event.id,
                        .by = who,
                        .pid = event.syscall.pid.value_or(0),
                        .parent = event.syscall.ppid.value_or(0),
                        .uid = event.syscall.uid,
                        .exe = cut(event.syscall.exe.value_or("")),
                        .what = cut(host::join_path(event.cwd.value_or("/"), *item.name)),
                        .target = {},
                        .profile = std::string(profile),
                        .others = {}};
        if (const auto* reader = node.processes.find(who)) {
            reading.others = words_beside(reader->argv, reading.what);
        }
        // Of one process only the first: a thousand readings must not push out another's.
        const bool known = std::any_of(node.readings.begin(), node.readings.end(), [&](const Copying& one) {
            return one.by == reading.by && one.profile == reading.profile;
        });
        if (!known) {
            remember_what_goes(node);
            node.readings.keep(std::move(reading));
        }
        return options.profiles.named(profile);
    }
    return nullptr;
}

namespace {

constexpr std::int64_t copied_ms = 600'000; // no copy takes longer

bool is_content(const host::Change& change) {
    return change.kind == host::ChangeKind::create || change.kind == host::ChangeKind::write;
}

// Whether who made a change can have the content from a reading: the reader, who descends from it, and who stands
// beside it or starts it (the members of a pipeline, the commands of one script).
bool in_reach(const Node& node, const Copying& reading, const host::Change& change) {
    constexpr std::int64_t opened_before_ms = 60'000; // `gzip -c lua > x` opens x first
    constexpr std::int64_t beside_ms = 60'000;        // what one shell does later has nothing to do with it
    const auto apart = change.event.time_ms - reading.event.time_ms;
    if (!is_content(change) || apart < -opened_before_ms || apart > copied_ms) {
        return false;
    }
    if (change.by_pid == reading.pid) {
        return true;
    }
    constexpr std::int64_t at_once_ms = 1000;
    if (apart < 0) { // a shell that opens for `gzip -c lua > x` what it then starts the reader with
        return change.by_pid == reading.parent && apart > -at_once_ms;
    }
    if (apart > beside_ms) {
        return node.processes.is_ancestor(reading.by, change.by);
    }
    const auto* maker = node.processes.find(change.by);
    const bool beside = reading.parent > 1 && maker != nullptr && maker->ppid == reading.parent;
    return beside || (reading.parent > 1 && change.by_pid == reading.parent) ||
           node.processes.is_ancestor(reading.by, change.by);
}

class CopySearch {
  public:
    CopySearch(const Node& node, const ProfileSet& profiles) : node_(node), profiles_(profiles) {}

    const Copying* find(const host::File& file, int copies = 0) { // NOLINT(misc-no-recursion): of copies, to a depth
        for (const auto& change : file.changes) {
            const Copying* beside = nullptr;
            for (auto reading = node_.readings.rbegin(); reading != node_.readings.rend() && left_ > 0; ++reading) {
                --left_;
                if (!in_reach(node_, *reading, change) || is_another_of_many(*reading, change)) {
                    continue;
                }
                if (change.by_pid == reading->pid) {
                    return &*reading;
                }
                beside = beside == nullptr ? &*reading : beside;
            }
            if (beside != nullptr && !copies_something_else(change, copies) && !downloads(change) &&
                !names_another(*beside, change)) {
                return beside;
            }
        }
        return nullptr;
    }

    const Copying* find_by_user(const host::File& file) {
        for (const auto& change : file.changes) {
            for (const auto& lost : node_.lost_readings) {
                const auto apart = change.event.time_ms - lost.event.time_ms;
                if (is_content(change) && change.by_uid == lost.uid && apart >= -copied_ms && apart <= copied_ms &&
                    !copies_something_else(change, 0) && !downloads(change)) {
                    return &lost;
                }
            }
        }
        return nullptr;
    }

  private:
    // A copier or archiver that was not given the interpreter by name copies a whole tree: only what keeps the name,
    // also behind a temporary one (".lua5.4.Xb2c"), is the copy.
    bool is_another_of_many(const Copying& reading, const host::Change& change) const {
        if (is_one_beside(reading, change.path)) {
            return true;
        }
        const auto name = base::basename(reading.what);
        const bool many = profiles_.is(ProgramKind::copier, reading.exe) ||
                          profiles_.is(ProgramKind::archiver, reading.exe) ||
                          profiles_.is(ProgramKind::downloader, reading.exe);
        if (many && base::basename(change.path) != name && made_it_beside(reading, change)) {
            return true;
        }
        const auto* reader = node_.processes.find(reading.by);
        if (!many || reader == nullptr || reader->argv.empty() ||
            std::any_of(reader->argv.begin(), reader->argv.end(),
                        [name](const std::string& word) { return base::basename(word) == name; })) {
            return false;
        }
        return base::basename(change.path).find(name) == std::string_view::npos;
    }

    // It copies the interpreter and others, and this is one of the others.
    bool names_another(const Copying& reading, const host::Change& change) const {
        const auto* maker = node_.processes.find(change.by);
        Copying own;
        own.others = maker == nullptr ? std::string() : words_beside(maker->argv, reading.what);
        return is_one_beside(own, change.path);
    }

    // Behind which of the options of cp(1) and install(1) a value stands.
    static bool is_value(std::string_view option) {
        return option == "-m" || option == "-o" || option == "-g" || option == "-S" || option == "-t" || option == "-Z";
    }

    // What a download tool writes comes from elsewhere.
    bool downloads(const host::Change& change) const {
        return change.by_exe && profiles_.is(ProgramKind::downloader, *change.by_exe) &&
               !profiles_.is(ProgramKind::copier, *change.by_exe);
    }

    // cp, mv, ln and install say what they copy, archivers what they unpack: where that is known and is none of it,
    // they made no copy of it.
    bool copies_something_else(const host::Change& change, int copies) { // NOLINT(misc-no-recursion)
        constexpr int most_copies = 3;
        const auto* maker = node_.processes.find(change.by);
        if (maker == nullptr || !maker->exe || copies >= most_copies) {
            return false;
        }
        if (maker->argv.empty()) { // its exec is not in the log
            return copies_files(*maker->exe);
        }
        if (maker->argv.size() < 3) {
            return false;
        }
        if (profiles_.is(ProgramKind::archiver, *maker->exe)) {
            return unpacks_something_else(*maker, change, copies);
        }
        if (!profiles_.is(ProgramKind::copier, *maker->exe)) {
            return false;
        }
        for (std::size_t at = 1; at + 1 < maker->argv.size(); ++at) {
            const std::string_view word = maker->argv[at];
            if (word.empty() || word.front() == '-' || is_value(maker->argv[at - 1])) {
                continue;
            }
            const bool stream = word.starts_with("/dev/") || word.starts_with("/proc/");
            if (word.front() != '/' || stream || profiles_.match(word, word).profile != nullptr) {
                return false; // a pipe, or relative to a directory that is not known any more
            }
            const auto* source = node_.files.find(word);
            if (source != nullptr && find(*source, copies + 1) != nullptr) {
                return false;
            }
        }
        return true;
    }

    // Names what it packs or unpacks by its path, and that is no copy. "-" is a pipe.
    bool unpacks_something_else(const host::Process& maker, const host::Change& change, // NOLINT(misc-no-recursion)
                                int copies) {
        bool named = false;
        for (std::size_t at = 1; at < maker.argv.size(); ++at) {
            const std::string_view word = maker.argv[at];
            const std::string_view before = maker.argv[at - 1];
            const bool where = before == "-C" || before == "-D" || before == "-d" || before == "--directory";
            if (word == "-" || profiles_.match(word, word).profile != nullptr) {
                return false;
            }
            if (where || !word.starts_with('/') || word == change.path) {
                continue;
            }
            const auto* source = node_.files.find(word);
            if (source != nullptr && find(*source, copies + 1) != nullptr) {
                return false;
            }
            named = true;
        }
        return named;
    }

    // Beside it lies a file with the interpreter's name that the same process made: that is the copy.
    bool made_it_beside(const Copying& reading, const host::Change& change) const {
        const auto directory = change.path.substr(0, change.path.rfind('/') + 1);
        const auto* file = node_.files.find(directory + std::string(base::basename(reading.what)));
        return file != nullptr && std::any_of(file->changes.begin(), file->changes.end(), [&](const host::Change& one) {
                   return one.by_pid == change.by_pid && is_content(one);
               });
    }

    // Copies files by their names and no stream: had it copied the interpreter, it would have read it.
    static bool copies_files(std::string_view exe) {
        constexpr std::array names{std::string_view{"cp"}, std::string_view{"install"}, std::string_view{"mv"},
                                   std::string_view{"ln"}};
        return std::find(names.begin(), names.end(), base::basename(exe)) != names.end();
    }

    const Node& node_;
    const ProfileSet& profiles_;
    int left_ = 1024; // comparisons: a log that is made for it must not cost more
};

} // namespace

const Copying* copied_by_reader(const Node& node, const host::File& file, const ProfileSet& profiles) {
    return node.readings.empty() ? nullptr : CopySearch(node, profiles).find(file);
}

const Copying* copied_by_user(const Node& node, const host::File& file, const ProfileSet& profiles) {
    return node.lost_readings.empty() ? nullptr : CopySearch(node, profiles).find_by_user(file);
}

} // namespace luatrail::detect
