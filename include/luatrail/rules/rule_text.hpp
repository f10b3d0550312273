// The text form of rules: auditctl(8), "OPTIONS" and "-F"; audit.rules(7).
#pragma once

#include <string_view>

#include "luatrail/rules/rule.hpp"

namespace luatrail::rules {

// Reads the text of a rules file. Never throws: what is wrong stands in `errors`, the other lines count. -D empties
// what came before it, -A puts a rule in front. `arch` says for which processor calls are looked up ("x86_64",
// "aarch64").
RuleSet parse_rules(std::string_view text, std::string_view source_name, std::string_view arch);

// The same for more text, behind what is there.
void parse_rules(std::string_view text, std::string_view source_name, std::string_view arch, RuleSet& into);

} // namespace luatrail::rules
