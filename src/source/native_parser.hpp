// luatrail's own parser: copies no byte of a line that lies whole in a chunk.
#pragma once

#include <memory>

#include "luatrail/source/parser.hpp"

namespace luatrail::source {

std::unique_ptr<Parser> make_native_parser(RecordSink& sink);

} // namespace luatrail::source
