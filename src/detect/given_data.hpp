// What a tool was given to work on: files that `luacheck x.lua`, `ldoc .` or `luarocks make` reads, and does not run.
#pragma once

#include <string_view>
#include <vector>

#include "detect/node.hpp"
#include "luatrail/detect/finding.hpp"

namespace luatrail::detect {

// Whether a file that a run opens is what it was given to work on, by all that is known so far: the run's script is
// expected, or as its package brought it, and a word behind it names the file or a directory above it; of a package's
// script also where a word names a file beside it, or where it lies below the working directory. So is what the run
// itself wrote, also with other programs. `path` is resolved.
//
// `again`: it is opened twice at once, as code is that is loaded. Then it is the run's work only where the run's own
// process wrote all of it, and nothing came over the network (luarocks reads what it installs twice).
//
// It may be run all the same (`busted x_spec.lua`), and the log does not say: such a drop is kept (Finding::given), and
// counts as soon as the run does what it did not do before.
bool is_given(const Node& node, const Run& run, const host::File& file, std::string_view path, bool again);

// Notes that the run opens a file. True: it opened the same one just before. So does `require`, which tries whether a
// file is there and then loads it, and `dofile` of bytecode, which is opened anew as binary (loadlib.c, lauxlib.c):
// that is code, whoever gave it.
bool opened_again(Run& run, const host::FileId& id);

// Keeps such drops with the run, without a finding: some of them, of many.
void keep_given(Node& node, Run& run, const std::vector<ChainEntry>& drops);

// Makes the drops that were kept part of the chain.
void count_given(Finding& finding);

} // namespace luatrail::detect
