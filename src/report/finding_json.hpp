// A finding as a JSON value: what to_json and to_syslog have in common.
#pragma once

#include <string>
#include <vector>

#include "luatrail/detect/finding.hpp"
#include "report/json_writer.hpp"
#include "report/sentences.hpp"

namespace luatrail::report {

// Keys in the order of docs/finding.schema.json. `shortened` comes last, and only when it is not empty.
Json finding_value(const detect::Finding& finding, const Sentences& sentences,
                   const std::vector<std::string>& shortened = {});

// The finding as JSON of at most `room` bytes, shortened where it must be; longer only where nothing is left to
// shorten.
std::string json_within(const detect::Finding& finding, std::size_t room, Characters characters);

} // namespace luatrail::report
