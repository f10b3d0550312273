// Interpreter profiles: which programs run Lua, and the grammar of their arguments. Knowledge about the world, kept in
// a data file (config/interpreters.toml, also built into the program): adding an interpreter is a row and a fixture.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::base {
class TomlTable;
}

namespace luatrail::detect {

// What an option does. The names are those of the data file.
enum class OptionRole : std::uint8_t {
    flag,        // no meaning for the code's origin (-W, -E, -O2)
    inline_code, // its value is code (-e)
    module,      // its value names a module (-l)
    interactive, // -i
    version,     // -v: prints; without code nothing runs
    exit,        // help and version options that end the program without running code (--help)
    script,      // its value is a script's path (nvim -l, ncat --lua-exec)
    value,       // takes a value without meaning for us
    compile,     // luajit -b, luatex --luaconly: compiles, does not run
    lua_mode,    // luatex --luaonly: the first word is a script, whatever its name ends in
    sourced,     // its value is a file in the program's own language, which may hold Lua (vim -S, rpm --load)
    commands,    // its value is a line in the program's own language (vim -c): Grammar::commands
    data, // its value is a file to work on; of a command: its argument is none of these, and the row keeps a longer
          // name from being taken for a code's
};

struct OptionRule {
    std::string spelling; // "-e", "--luaonly", "SCRIPT LOAD"
    OptionRole role = OptionRole::flag;
    bool glued = false;          // value may follow at once: -e'print(1)', -O3, -lsocket
    bool optional_value = false; // only a glued value is one (-O)
    bool first = false;          // counts as argv[1] only; anywhere else it is an option that the program does not know
    bool last = false;           // ends the options: what follows its value belongs to the script (nvim -l)
    bool once = false;           // of several the last one counts; else the files of all are run
    bool in_lua_mode = false;    // counts only where an option of role lua-mode is given too
    // The row counts only for a value of this kind: of several rows of one spelling the first one that fits. Its role
    // is that of a value then, also for lua-mode.
    std::vector<std::string> only_if{}; // globs on the value, or on one of its parts
    std::string prefix{};               // the value begins with it, which is not part of the code ("lua_script:")
    std::string separators{}; // the value is a list: bytes that stand between its parts ("," of nmap --script)
    std::string ends_at{};    // the value ends before the first of these bytes ("=" of luajit -j)
    std::string becomes{};    // what the value stands for, itself being the "*": "jit.*", "*/main.lua"
    std::vector<std::string> not_after{}; // behind one of these options it is a flag (vim: -s behind -e)

    bool selects() const { return !only_if.empty() || !prefix.empty(); }
};

// A command of a program's own language that brings Lua. `name` may be cut down to `least`, as vim has it: "luaf[ile]".
struct CommandRule {
    std::string least, name;
    OptionRole role = OptionRole::data; // inline, script, sourced, commands (its argument is another command), data
    bool bars = false;                  // its argument goes on over bars
    std::size_t skip = 0; // words of its argument that stand before the other command ("au EVENT PATTERN")
    std::vector<std::string> only_if{}; // globs on the argument: of several rows of a name the first one that fits
};

struct Grammar {
    std::vector<OptionRule> options;
    std::vector<CommandRule> commands;
    std::vector<std::string> inline_commands; // globs: a line of commands with Lua in an expression ("**luaeval(**")
    bool dash_is_stdin = true;                // "-" alone: standard input
    bool stops_at_script = true;         // the first word that is no option is the script; the rest are its arguments
    bool bare_reads_stdin = true;        // no script and nothing else: interactive on a terminal, else standard input
    bool requires_script_option = false; // a host program: runs Lua only when an option says so
    bool bundles = false;                // getopt(3): -vE CODE is -v -E CODE
    bool one_dash = false;               // -name is --name
    bool abbreviates = false;            // getopt_long(3): a beginning that only one long option has is enough
    bool ignores_unknown = false;        // an unknown option is passed over; else it ends the program, and nothing runs
    bool words_end_options = false;      // what follows the first word that is no option is no option either
    std::vector<std::string> script_suffixes; // not empty: the first word is a script only if it ends in one (or after
                                              // lua_mode)
    std::vector<std::string> other_words;     // globs: a first word that is no script (sysbench cpu)
    std::vector<std::string> inline_words;    // globs: a first word that is code itself (luatex '\directlua{...}')
    std::vector<std::string>
        searched; // globs on the directories where a script is looked for that is not below the cwd
};

struct Profile {
    std::string name; // "luajit"
    // Globs on the base name; one with "/" or "**" is compared with the whole.
    std::vector<std::string> exe; // "lua5.[1-5]"
    std::vector<std::string>
        argv0; // when not empty, argv[0] must match one too ("**texlua**" with exe "luatex", "luahbtex")
    std::vector<std::string> argv1; // when not empty, argv[1] must match one too: a script of another interpreter
    bool embedded = false;          // Lua is inside of a program that is for something else
    bool lua_init = false;          // runs what LUA_INIT holds before its script, unless -E is given
    bool jit = false;               // makes memory executable by itself
    bool writes_code = false;       // also writable at the same time, so that this says nothing: closures of libffi
    bool child_tells = false; // a server that runs Lua without an exec: a shell or a download below it is the sign
    // As child_tells, but it also starts shells of its own: only one that it starts directly with -c is a sign, and
    // only where a file of its command line was dropped.
    bool command_tells = false;
    // Globs on the absolute paths of what it runs when it opens them; empty: what ends as Lua's modules do, or may be
    // executed.
    std::vector<std::string> loads;
    // Globs on what it writes for itself (a cache, a session): that counts only where another program wrote it.
    std::vector<std::string> own;
    // Options with which somebody sits before it without a terminal (a graphical editor).
    std::vector<std::string> windowed;
    std::vector<std::string> unattended; // and those with which nobody does, whatever else is said
    // Not empty: it also opens such files to show or edit them, and runs by itself only what lies there. An open of
    // another counts where a command of its command line names the file, or where nobody sits at a terminal.
    std::vector<std::string> startup;
    Grammar grammar;
};

// A program that runs the program which its arguments name, without an exec: ld.so, valgrind, qemu.
struct Loader {
    std::vector<std::string> exe;    // globs as Profile::exe
    std::vector<std::string> values; // options whose value is the next word
    std::vector<std::string> ends;   // options with which nothing is run
    bool argv0_follows = false;      // started by binfmt_misc, the program's path is followed by its argv[0]
};

// Programs whose kind matters beside the interpreters: [programs] in the data file.
enum class ProgramKind : std::uint8_t {
    shell,
    archiver,
    package_manager,
    loader,
    downloader,
    copier,
    editor,
    web_server,
    mail,
    database,
    container_runtime,
    remote_login,
    scheduler,
    service_manager,
    debugger,
};
inline constexpr std::size_t program_kinds = 15;
std::string_view to_string(ProgramKind kind); // "web-server"

// `exe` of a SYSCALL record without what the kernel (" (deleted)", d_path), rpm (";5a1b2c3d" while it unpacks) and
// prelink (".#prelink#.XXXXXX") append to the name of a file that is being replaced.
std::string_view program_path(std::string_view exe);

// Immutable after loading.
class ProfileSet {
  public:
    // The profiles that are compiled in.
    static ProfileSet builtin();
    // Adds those of a file, or replaces those of the same name. Throws base::Error "file:line:column: key: reason".
    void load(const std::string& path);
    void load_text(std::string_view toml, std::string_view source_name);

    struct Match {
        const Profile* profile = nullptr; // null: no interpreter
        IdentifiedBy by = IdentifiedBy::path;
    };
    // Profiles that also ask for an argv[0] come first, then in the order of loading.
    // `exe` as decoded from the record: its program_path() counts.
    Match match(std::string_view exe, std::string_view argv0, std::string_view argv1 = {}) const;

    // Whether match() could find a profile for this exe under some argv[0].
    bool may_match(std::string_view exe) const;
    // By the globs of the kind, as for interpreters.
    bool is(ProgramKind kind, std::string_view exe) const;
    std::optional<ProgramKind> kind_of(std::string_view exe) const; // the first that fits

    // The profile of a server whose child processes show its Lua; null for others.
    const Profile* telling(std::string_view exe) const;

    // Null where `exe` is none.
    const Loader* loader(std::string_view exe) const;

    // Whether programs are started from there: crontabs, units, profiles of shells ([places] in the data file).
    bool is_start_place(std::string_view path) const;

    std::span<const Profile> all() const { return profiles_; }
    const Profile* named(std::string_view name) const; // null: none

  private:
    void read(const base::TomlTable& file);
    void index();
    const std::vector<const Profile*>& of_program(std::string_view program) const; // until the next call

    // What programs were found to be: the same few ask again and again. At most 1024 short names. A copy begins empty,
    // for its profiles lie elsewhere.
    struct Memory {
        struct Hash {
            using is_transparent = void;
            std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
        };
        Memory() = default;
        Memory(const Memory& /*other*/) {}
        Memory& operator=(const Memory& /*other*/) {
            known.clear();
            kinds.clear();
            return *this;
        }
        ~Memory() = default;

        std::unordered_map<std::string, std::vector<const Profile*>, Hash, std::equal_to<>> known;
        std::unordered_map<std::string, std::optional<ProgramKind>, Hash, std::equal_to<>> kinds;
        std::vector<const Profile*> other; // of a name that is not kept
    };

    std::vector<Profile> profiles_;
    std::vector<Loader> loaders_;
    std::array<std::vector<std::string>, program_kinds> programs_;
    std::vector<std::string> start_places_;
    std::map<std::string, Grammar, std::less<>> grammars_; // by name, for profiles of later files
    // Which profiles are those of a program: by a name in full, and by a pattern.
    std::map<std::string, std::vector<std::size_t>, std::less<>> by_name_;
    std::vector<std::pair<std::string, std::size_t>> by_pattern_;
    mutable Memory memory_;
};

} // namespace luatrail::detect
