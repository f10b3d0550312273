// What the engine knows of one node (one host, by the `node=` of its records).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/known_files.hpp"
#include "detect/known_programs.hpp"
#include "detect/recent.hpp"
#include "detect/runs.hpp"
#include "detect/shares.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/detect/finding.hpp"
#include "luatrail/host/file_ledger.hpp"
#include "luatrail/host/process_table.hpp"

namespace luatrail::detect {

// A process that came up lately: to distinguish `producer | lua` from a `lua` that a person types into.
struct Birth {
    std::int64_t time_ms = 0;
    std::uint32_t pid = 0, parent = 0;
    host::ProcessRef process{}; // its first image, where a fork shows it
    bool ran = false;           // it executed a program
};

// A memfd that a process made: its descriptor may be run later.
struct Memfd {
    audit::EventId event;
    std::uint32_t pid = 0;
    std::int64_t descriptor = -1;
    std::optional<std::string> exe;
    std::optional<std::uint32_t> uid;
};

// A program that was asked to copy, or to fetch, a file that is named like an interpreter; or one that read such a
// file.
struct Copying {
    audit::EventId event; // its exec, or the reading
    host::ProcessRef by;
    std::uint32_t pid = 0, parent = 0;
    std::optional<std::uint32_t> uid;
    std::string exe;     // "/usr/bin/cp"
    std::string what;    // "/usr/bin/luajit"
    std::string target;  // its last word, absolute: the copy, or the directory where it goes
    std::string profile; // of what is copied; loader_profile: the dynamic loader
    std::string others;  // other files that it names, absolute, the first 16, with NULs between: words_beside()
};
// No interpreters: their names come from the data file.
inline constexpr std::string_view loader_profile = "ld.so", library_profile = "library";

// A directory that was renamed, or a place where something was mounted, and with it all that lies below.
struct MovedDirectory {
    audit::EventId event;
    host::Change change;        // its path is the new name; "": it is unmounted
    bool own_namespace = false; // who is not root mounts in a namespace of its own
};

// systemd said that it started a unit.
struct ServiceStart {
    audit::EventId event;
    std::string unit;
};

// A login of an audit session, from PAM's records.
struct Login {
    audit::EventId event;
    std::uint32_t session = 0;
    std::optional<std::string> address, terminal, account;
};

// A file that ran under an interpreter's name: it is one under any name.
struct KnownInterpreter {
    host::FileId id;
    std::string profile;
    std::int64_t last_ms = 0; // when it last ran under that name
};

// A program that runs by a package manager's path and is another file.
struct Impostor {
    audit::EventId event; // its exec
    host::ProcessRef process;
};

inline std::int64_t time_of(const Birth& one) {
    return one.time_ms;
}
inline std::int64_t time_of(const KnownInterpreter& one) {
    return one.last_ms;
}
template <class T>
std::int64_t time_of(const T& one) {
    return one.event.time_ms;
}

// What they take on the heap.
inline std::size_t heap_of(const Birth& /*one*/) {
    return 0;
}
inline std::size_t heap_of(const Memfd& one) {
    return base::heap_of(one.exe);
}
inline std::size_t heap_of(const Copying& one) {
    return base::heap_of(one.exe) + base::heap_of(one.what) + base::heap_of(one.target) + base::heap_of(one.profile) +
           base::heap_of(one.others);
}
inline std::size_t heap_of(const MovedDirectory& one) {
    return base::heap_of(one.change.path) + base::heap_of(one.change.by_exe);
}
inline std::size_t heap_of(const ServiceStart& one) {
    return base::heap_of(one.unit);
}
inline std::size_t heap_of(const Login& one) {
    return base::heap_of(one.address) + base::heap_of(one.terminal) + base::heap_of(one.account);
}
inline std::size_t heap_of(const KnownInterpreter& one) {
    return base::heap_of(one.profile);
}

inline std::size_t heap_of(const Impostor& /*one*/) {
    return 0;
}

struct Node {
    std::string name;
    host::ProcessTable processes;
    host::FileLedger files;
    Runs runs;
    Recent<Birth> births;
    Recent<Memfd> memfds;
    Recent<Copying> copies, readings;
    Recent<Copying> lost_readings; // the latest of each user that had to go for newer ones
    Recent<MovedDirectory> moved_directories;
    Recent<ServiceStart> service_starts;
    Recent<Login> logins;
    Recent<KnownInterpreter> interpreters;
    Recent<Impostor> impostors;
    KnownPrograms programs;
    KnownFiles known_files;                 // where expected scripts and package managers lie
    std::array<std::uint64_t, 8> devices{}; // on which files were made
    std::size_t next_device = 0;
    bool rules_known = false; // records have the keys of luatrail's own rules
    std::int64_t newest_ms = INT64_MIN;
    std::int64_t lost_ms = INT64_MIN; // newest event time when records were last known to be lost
    base::Charge own;                 // for itself, its name and its place in the index

    // All that it holds is charged to the shares, which outlive it.
    Node(std::string_view node_name, Shares& shares);

    // What was known of a session's login at the time of an event.
    std::optional<LoginInfo> login_of(std::optional<std::uint32_t> session, const audit::EventId& at) const;

    // The runs that `who` is or descends from, nearest first.
    std::vector<Run*> runs_above(host::ProcessRef who);

    // Pids start anew, and what lay in memory is gone.
    void begin_boot(Shares& shares);

    std::size_t bytes(Share share) const; // that it holds of it
    // Lets go of what is worth least of it. False: nothing is left that could go.
    bool give_way(Share share);

  private:
    bool give_way_of_traces();
};

} // namespace luatrail::detect
