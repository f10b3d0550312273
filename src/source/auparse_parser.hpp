// libauparse's feed.
#pragma once

#include <memory>

#include "luatrail/source/parser.hpp"

namespace luatrail::source {

std::unique_ptr<Parser> make_auparse_parser(RecordSink& sink);

} // namespace luatrail::source
