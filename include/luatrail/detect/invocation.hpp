// What the arguments of an interpreter make it run.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "luatrail/detect/finding.hpp"
#include "luatrail/detect/profiles.hpp"

namespace luatrail::detect {

// The arguments of an exec, as the log gives them. `missing` holds the indices that no record carried. What was lost or
// cut is never told as a fact.
struct Arguments {
    std::span<const std::string> argv;
    std::span<const std::size_t> missing;
    bool truncated = false;                         // fewer came than argc says, or a record was cut
    bool terminal = false;                          // SYSCALL tty names a terminal
    std::span<const std::size_t> cut{}, headless{}; // indices of which only the beginning came; something, but not that
    std::size_t offset = 0;                         // what these indices call argv[0]
};

struct Invocation {
    bool runs_code = false; // false: `lua -v`, `luajit -b`, --help
    Origin origin = Origin::unknown;
    std::optional<std::size_t> script_index; // of the script's word in argv
    std::optional<std::string> script;       // its path as written; "-" is a file of that name (lua -- -)
    std::optional<std::string> inline_text;  // all -e values joined by newlines
    std::vector<std::string> modules;        // of -l; also where only they run (luajit -b loads jit.bcsave)
    std::vector<std::string> more_scripts;   // the others, where several run (nmap --script=a.nse,b.nse)
    std::vector<std::string> sourced;        // files in the program's own language, which may hold Lua (vim -S x.vim)
    std::vector<std::string> other_commands; // of that language, of which nothing is known (vim +Plugin)
    std::vector<std::string> data;           // files that options give it to work on (highlight --input)
    // Globs on absolute paths where the program finds a script that is not below the cwd: "**/filters/f.lua".
    std::vector<std::string> script_elsewhere;
    // Standard input is read as code, whatever the origin: `lua -`, bare, and also `lua -l m` and `lua -i`, which go on
    // with standard input. With a pipe there, the run is as good as `lua -`.
    bool reads_stdin = false;
    bool uncertain = false; // a missing argument could have changed the answer
};

// Reads argv by the profile's grammar. Where lost arguments may have held all of the code, it runs code of unknown
// origin. Never throws; argv may be empty (argc=0 is legal). Origin precedence: script (or descriptor, when its path is
// /dev/fd/N, /dev/stdin, or below fd or map_files of a process in /proc) > stdin ("-") > inline > module > interactive
// (-i, or bare on a terminal) > stdin (bare without a terminal).
Invocation parse_invocation(const Profile& profile, const Arguments& arguments);

} // namespace luatrail::detect
