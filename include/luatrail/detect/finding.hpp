// What luatrail says of one run of Lua: the schema "luatrail/finding/1" as a struct (docs/finding.schema.json).
//
// It lives in detect/, which fills it with facts; report/ renders them, and writes title and reasons. All strings are
// raw bytes as decoded from the log: making them safe is the rendering's work.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/audit/credentials.hpp"
#include "luatrail/audit/record.hpp"
#include "luatrail/detect/chain_kind.hpp"
#include "luatrail/detect/expectation.hpp"

namespace luatrail::detect {

enum class Severity : std::uint8_t { info, low, medium, high, critical };
enum class Origin : std::uint8_t {
    script,
    inline_code,
    stdin_code,
    interactive,
    module,
    environment,
    descriptor,
    embedded,
    library, // a program brought Lua into itself
    unknown
};
enum class IdentifiedBy : std::uint8_t { path, package, inode, copy, argv0, loader, content, library };
enum class How : std::uint8_t { create, write, rename, link, symlink, chmod, unpack, mount };
enum class Degraded : std::uint8_t {
    lost_records,
    partial_event,
    truncated_argv,
    no_lineage,
    no_baseline,
    path_uncertain,
    evicted,
    input_unknown,
    other_file,          // at the script's path, than earlier runs found there
    package_unchecked,   // no inventory was given that could say whether the script is its package's
    unwatched_directory, // no rule reports what is done to files where the script lies
    identity_uncertain,  // another file of a device without a name of its own has the script's inode number
    no_process           // the record that names the process and its user is missing
};

// The names of the schema, in the order of the enumerators: "script", "inline". Those of ChainKind stand in their
// table.
template <class Enumerator>
std::span<const std::string_view> names();
template <>
std::span<const std::string_view> names<Severity>();
template <>
std::span<const std::string_view> names<Origin>();
template <>
std::span<const std::string_view> names<IdentifiedBy>();
template <>
std::span<const std::string_view> names<How>();
template <>
std::span<const std::string_view> names<Verdict>();
template <>
std::span<const std::string_view> names<Degraded>();

std::string_view to_string(Severity);
std::string_view to_string(Origin);
std::string_view to_string(IdentifiedBy);
std::string_view to_string(How);
std::string_view to_string(Verdict);
std::string_view to_string(Degraded);
// Nothing for an unknown name.
std::optional<Severity> severity_from(std::string_view name);

// The login that an audit session began with (USER_LOGIN, USER_START).
struct LoginInfo {
    std::optional<std::string> address;  // "203.0.113.5"; nothing: a local one
    std::optional<std::string> terminal; // "ssh", "/dev/tty1", "cron"
    std::optional<std::string> account;
};

// The nearest program above a process that shows how somebody came in.
struct WayIn {
    std::string program; // "nginx"
    std::string kind;    // "web-server"
};

struct Actor { // who did something to a file or a process
    std::uint32_t pid = 0;
    std::optional<std::string> exe;
    std::optional<std::uint32_t> uid;
    std::vector<std::string> argv{};   // of a child shell: its command line
    std::optional<std::string> kind{}; // "downloader", "editor": what its program is for
    std::optional<WayIn> below{};
    std::optional<LoginInfo> login{};
};

struct Interpreter {
    std::optional<std::string> exe;
    std::string profile;
    IdentifiedBy identified_by = IdentifiedBy::path;
    std::optional<std::string> package; // with an inventory only
    // Not rendered: known not to be as packaged; makes memory executable by itself; the copy was written by who had
    // read the interpreter; of a copy, what it is one of, of a library, which; what it calls itself, where that is no
    // interpreter's name.
    bool altered = false, jit = false, copied_by_reader = false, copied_by_user = false;
    std::optional<std::string> copy_of{}, called{};
};

struct Code {
    Origin origin = Origin::unknown;
    std::optional<std::string> argument; // as on the command line
    std::optional<std::string> path;     // resolved, absolute
    std::optional<std::string> inline_text;
    std::string format = "unknown"; // "text", "bytecode": known to live look-ups only
    std::optional<std::string> package;
    // Not rendered: of the script, its inode where the log shows it, and the path that its package lists where that is
    // another one.
    std::optional<std::uint64_t> inode{};
    std::optional<std::string> packaged_path{};
    bool altered = false; // known not to be as packaged
    // Not rendered: what else the command line brings.
    std::vector<std::string> modules{}, more_scripts{};
    std::vector<std::string> searched{}; // globs on where else the script may lie (Invocation::script_elsewhere)
    bool reads_stdin = false;            // code from standard input, typed or from a pipe
    bool arguments_lost = false;         // options may have stood where the log shows none
    bool owners_known = true;            // an inventory was given
};

struct ProcessInfo : audit::Credentials {
    std::uint32_t pid = 0;
    std::optional<std::uint32_t> ppid;
    std::optional<std::string> user; // name of uid, from the enriched half or an inventory
    std::optional<std::string> tty, comm, cwd;
    std::vector<std::string> argv;
    std::optional<std::string> unit, container;
    std::optional<LoginInfo> login{}; // of its session
};

struct Ancestor { // nearest first
    std::uint32_t pid = 0;
    std::optional<std::string> exe;
    std::vector<std::string> argv;
    std::optional<std::uint32_t> uid;
    std::optional<std::string> package{}; // with an inventory only
};

struct ChainEntry {
    ChainKind kind = ChainKind::script_drop;
    std::optional<How> how{};
    std::optional<std::string> path{};
    std::optional<std::int64_t> time_ms{}; // of the event; drops and follow-ups
    std::optional<std::int64_t> age_ms{};  // before the run (drops) or after it (follow-ups)
    audit::EventId event{};
    std::optional<Actor> by{};
    std::optional<bool> same_tree{};
    std::optional<std::uint32_t> depth{}; // of a process below the run: 1 is its child
};

// What a file held when it was looked at, soon after the run.
struct FileEvidence {
    std::optional<std::string> path;                 // where it was opened: "/proc/4711/exe", "/tmp/x.lua"
    std::optional<std::string> sha256;               // 64 hex digits
    std::optional<std::uint64_t> size;               // bytes
    std::optional<std::string> first_line, bytecode; // of code: what it begins with; "Lua 5.4", "LuaJIT 2"
    std::optional<std::string> note;                 // why something is missing, or may not be what was run
};

// Added by the running host alone: a replay has none, and no verdict rests on it.
struct Evidence {
    std::optional<FileEvidence> interpreter, script;
    std::vector<std::string> environment; // "LUA_INIT=@/tmp/x", "LUA_PATH=..."
    std::optional<std::string> note;      // why nothing is known of the process
};

// How often the like of a finding came while none of them was reported (RepeatFilter).
struct Repetition {
    std::uint64_t times = 0; // itself included
    std::int64_t since_ms = 0;
    std::string first_id; // of the one that was reported
};

struct Finding {
    std::string id; // 16 hex digits: digest of node, event ids and kind
    std::int64_t time_ms = 0;
    std::optional<std::string> node;
    Severity severity = Severity::info;
    Interpreter interpreter;
    Code code;
    ProcessInfo process;
    std::vector<Ancestor> ancestors;
    Expectation expectation;
    std::vector<ChainEntry> chain;
    std::vector<audit::EventId> events; // the run first
    std::vector<Degraded> degraded;
    std::optional<std::string> follows; // id of the finding that this one raises
    std::vector<ChainEntry> given{};    // not rendered: drops of what it was given to work on (detect/given_data.hpp)
    bool live = false;                  // only a look at the running host could show it
    std::optional<Evidence> evidence{};
    std::optional<Repetition> repeated{};

    bool has(ChainKind kind) const; // in its chain

    // That of `luatrail doctor --try`: root's process of luatrail dropped the script in a directory of its own, and is
    // the run's parent. It is judged as any other.
    bool is_test() const;
};

// What the directories of `luatrail doctor --try` begin with.
inline constexpr std::string_view test_directory = "luatrail-try-";

// Receives findings in the order of their events.
class FindingSink {
  public:
    virtual ~FindingSink() = default;
    virtual void on_finding(const Finding& finding) = 0;

    // What only a look at the running host can decide; of no concern to a replay. An expected run, whose environment
    // may bring other code; a program that may be an interpreter by its content, described as if it were one.
    virtual void on_expected_run(const Finding&) {}
    virtual void on_unknown_program(const Finding&) {}
};

} // namespace luatrail::detect
