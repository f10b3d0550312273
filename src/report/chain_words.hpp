// The words for what is chained with a run: one row a kind, one row a way in which a file was dropped.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

// What stands for what in a clause: {by} "bash (pid 7, uid 0)", {path}, {program} the path's last part, {age} "4 ms",
// {did} HowWords::reason, {tree} ", in the same process tree" or nothing, {drop} "bash dropped 4 ms earlier in /tmp".
struct ChainWords {
    detect::ChainKind kind;
    std::string_view heading;        // in the list of how it got there
    std::string_view title;          // its part of the title, behind what stands before the run or after it
    std::string_view reason;         // a sentence
    std::string_view without_path{}; // the sentence where no path is known, if another one
    std::string_view without_by{};   // where nobody is known who did it
    std::string_view some_path = "a file without a known name"; // {path} in the title where none is known
};

// In the order in which a title names the drops.
inline constexpr std::array<ChainWords, detect::chain_kinds.size()> chain_words{{
    {.kind = detect::ChainKind::interpreter_drop,
     .heading = "interpreter dropped",
     .title = ", with an interpreter that {drop}",
     .reason = "{by} {did} {age} before the run{tree}"},
    {.kind = detect::ChainKind::module_drop,
     .heading = "module dropped",
     .title = ", with a module that {drop}",
     .reason = "{by} {did} {age} before the run{tree}"},
    {.kind = detect::ChainKind::script_drop,
     .heading = "script dropped",
     .title = ", a script that {drop}",
     .reason = "{by} {did} {age} before the run{tree}"},
    {.kind = detect::ChainKind::memfd,
     .heading = "memory file (memfd)",
     .title = ", from a memfd",
     .reason = "the interpreter ran from memory ({path}), which {by} made {age} before the run: no file is behind it",
     .without_path = "{age} before the run, {by} made the memfd that the code was read from: no file is behind it",
     .without_by = "the interpreter ran from memory ({path}), no file is behind it"},
    {.kind = detect::ChainKind::shared_memory,
     .heading = "in shared memory",
     .title = "", // the path says it
     .reason = "{path} lies in shared memory, which leaves no trace on disk"},
    {.kind = detect::ChainKind::deleted_file,
     .heading = "file already deleted",
     .title = ", from a deleted file",
     .reason = "{path} had been deleted when it ran"},
    {.kind = detect::ChainKind::exec_memory,
     .heading = "executable memory mapped",
     .title = "; it then made memory executable",
     .reason = "{by} made memory without a file behind it executable {age} after the run began",
     .without_by = "the kernel's policy denied executable memory to the run {age} after it began"},
    {.kind = detect::ChainKind::injection,
     .heading = "injection into a process",
     .title = "; code was injected",
     .reason = "{by} changed or took over the process of {path} {age} after the run began"},
    {.kind = detect::ChainKind::crash,
     .heading = "crash",
     .title = "; it then crashed",
     .reason = "the run crashed {age} after it began"},
    {.kind = detect::ChainKind::child_shell,
     .heading = "shell started by Lua",
     .title = "; it then started a shell",
     .reason = "{by} was started by the run {age} after it began"},
    {.kind = detect::ChainKind::network,
     .heading = "network connection",
     .title = "; it then tried to connect to {path}",
     .reason = "{by} tried to connect to {path} {age} after the run began",
     .some_path = "an unknown address"},
    {.kind = detect::ChainKind::self_delete,
     .heading = "deleted its own file",
     .title = "; it then deleted its own file",
     .reason = "{by} deleted {path} {age} after the run began"},
    {.kind = detect::ChainKind::download,
     .heading = "download tool started by Lua",
     .title = "; it then started {program}",
     .reason = "{by} was started by the run {age} after it began: a download tool"},
    {.kind = detect::ChainKind::persistence,
     .heading = "file written from which programs are started",
     .title = "; it then wrote {path}",
     .reason = "{by} wrote {path} {age} after the run began: programs are started from there",
     .some_path = "a file that starts programs"},
    {.kind = detect::ChainKind::second_stage,
     .heading = "ran a program that it had brought",
     .title = "; it then ran what it had brought",
     .reason = "{by} ran {path} {age} after the run began, which the run's own tree had brought"},
}};
static_assert(std::all_of(detect::chain_kinds.begin(), detect::chain_kinds.end(), [](const auto& row) {
    return std::count_if(chain_words.begin(), chain_words.end(),
                         [&row](const ChainWords& words) { return words.kind == row.kind; }) == 1;
}));

struct HowWords {
    detect::How how;
    std::string_view heading; // behind that of the kind, in parentheses
    std::string_view title;   // what somebody did, before the time
    std::string_view reason;  // the same with the {path}
};

// In the order of the enumerators.
inline constexpr std::array<HowWords, 8> how_words{{
    {detect::How::create, "created", "dropped", "created {path}"},
    {detect::How::write, "written", "wrote to", "wrote to {path}"},
    {detect::How::rename, "renamed", "moved into place", "moved a file to {path}"},
    {detect::How::link, "hard-linked", "hard-linked", "hard-linked a file to {path}"},
    {detect::How::symlink, "symlinked", "symlinked", "made the symbolic link {path}"},
    {detect::How::chmod, "made executable", "made executable", "made {path} executable"},
    {detect::How::unpack, "unpacked from an archive", "unpacked", "unpacked {path}"},
    {detect::How::mount, "mounted", "mounted into place", "mounted something at {path}"},
}};
static_assert(static_cast<std::size_t>(detect::How::mount) + 1 == how_words.size());
static_assert(std::all_of(how_words.begin(), how_words.end(), [](const HowWords& words) {
    return &words == &how_words[static_cast<std::size_t>(words.how)];
}));

constexpr const ChainWords& words_of(detect::ChainKind kind) {
    return *std::find_if(chain_words.begin(), chain_words.end(),
                         [kind](const ChainWords& words) { return words.kind == kind; });
}

constexpr const HowWords& words_of(detect::How how) {
    return how_words.at(static_cast<std::size_t>(how));
}

} // namespace luatrail::report
