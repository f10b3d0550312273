// A finding's title: one line that says what happened.
#pragma once

#include <string>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

// "luajit run by www-data on a script that bash dropped 8 ms earlier in /tmp; it then started a shell". Safe to show.
std::string title_of(const detect::Finding& finding);

} // namespace luatrail::report
