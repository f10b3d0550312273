#include "report/words.hpp"

namespace luatrail::report {

using detect::Degraded;
using detect::IdentifiedBy;
using detect::Origin;

// No default in any switch: the compiler then names the enumerator that was forgotten.
std::string_view words(Origin origin) {
    switch (origin) {
    case Origin::script:
        return "a script file";
    case Origin::inline_code:
        return "inline code on the command line";
    case Origin::stdin_code:
        return "code from standard input";
    case Origin::interactive:
        return "an interactive prompt";
    case Origin::module:
        return "a module named on the command line";
    case Origin::environment:
        return "code from the environment (LUA_INIT)";
    case Origin::descriptor:
        return "code from an open descriptor";
    case Origin::embedded:
        return "Lua embedded in a host program";
    case Origin::library:
        return "a Lua library that a program loaded";
    case Origin::unknown:
        break;
    }
    return "unknown";
}

std::string_view words(IdentifiedBy identification) {
    switch (identification) {
    case IdentifiedBy::path:
        return "known by its path";
    case IdentifiedBy::package:
        return "known by its package";
    case IdentifiedBy::inode:
        return "known by its inode, under another name";
    case IdentifiedBy::copy:
        return "a copy of an interpreter";
    case IdentifiedBy::argv0:
        return "known by the name it was called";
    case IdentifiedBy::loader:
        return "started through a program that runs others (ld.so, valgrind, qemu)";
    case IdentifiedBy::library:
        return "known by the library that it loaded";
    case IdentifiedBy::content:
        break;
    }
    return "known by its content";
}

std::string_view words(Degraded degraded) {
    switch (degraded) {
    case Degraded::lost_records:
        return "Audit records were lost around this time; other steps may be missing.";
    case Degraded::partial_event:
        return "The event reached us incomplete: a record of it is missing or cut.";
    case Degraded::truncated_argv:
        return "Not all arguments are in the log; what ran may differ from what is shown.";
    case Degraded::no_lineage:
        return "The parent processes are unknown: the log starts too late or has no forks.";
    case Degraded::no_baseline:
        return "No baseline was given, so nothing says whether this run is expected.";
    case Degraded::path_uncertain:
        return "A path was relative to a directory the log does not name; it is a guess.";
    case Degraded::input_unknown:
        return "Its standard input is not known: a terminal, or a file that somebody put there.";
    case Degraded::other_file:
        return "At the path of the script lies another file than earlier runs found there, or the one that is "
               "expected.";
    case Degraded::package_unchecked:
        return "No inventory was given to say whether the script is its package's; its path alone is as expected.";
    case Degraded::unwatched_directory:
        return "No audit rule watches the directory of the script: a drop there would not have been seen.";
    case Degraded::identity_uncertain:
        return "On this file system an inode number is not one file's: one that changed has the script's, and another "
               "name. The names were believed.";
    case Degraded::no_process:
        return "The record that names the process and its user is missing: who ran it, and from where, is not known.";
    case Degraded::evicted:
        break;
    }
    return "Older history was evicted to keep within the memory limit; a drop may be missing.";
}

} // namespace luatrail::report
