// What a set of rules can show of Lua: each way of running it, and each kind of chain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/rules/host_rules.hpp"
#include "luatrail/rules/rule.hpp"

namespace luatrail::rules {

enum class Coverage : std::uint8_t { seen, partly, blind };
std::string_view to_string(Coverage coverage);

struct CoverageRow {
    std::string id;    // "run-by-path", "script-drop/rename": stable
    std::string title; // for a person
    Coverage coverage = Coverage::blind;
    std::vector<std::string> why; // what is not seen, and the rules that hide it; empty when all is seen
    std::string remedy;
};

// Every row, in a fixed order. Asks, for login users, services and root, for 64- and 32-bit programs and each directory
// of the host where files get dropped, what the kernel would do with the call.
std::vector<CoverageRow> coverage(const RuleSet& set, const Host& host);

} // namespace luatrail::rules
