// What a change of files leaves unsaid and the program's own words tell.
#pragma once

#include "detect/node.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {

// Adds to the event the program that made it, where its record has none, and, where names are relative to a descriptor,
// the directory that the program was told to put its files in: `cp FILE DIR/` and `mv FILE DIR/` open DIR first and
// name the new file relative to that, and the record shows neither the directory's name nor the descriptor's.
void complete(const Node& node, host::FileEvent& file);

} // namespace luatrail::detect
