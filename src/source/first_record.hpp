// Where a log begins in time: the id of its first record.
#pragma once

#include <optional>

#include "luatrail/audit/record.hpp"
#include "source/byte_source.hpp"

namespace luatrail::source {

// Looks through the first MiB of text. Nothing when there is no record in it.
std::optional<audit::EventId> first_record(ByteSource& text);

// The same of bytes at hand.
std::optional<audit::EventId> first_record(std::string_view text);

} // namespace luatrail::source
