// Why a run was expected or not, in a sentence. Raw bytes of the log and the baseline are in it: who shows it makes
// them safe, as with any other text of a finding.
#pragma once

#include <string>

#include "luatrail/detect/baseline.hpp"
#include "luatrail/detect/expectation.hpp"

namespace luatrail::report {

std::string words(const detect::Expectation& expectation);

// What a rule says of a run, behind its id: "names user root, and the run has www-data".
std::string words(const detect::Rule& rule, const detect::Comparison& comparison);

} // namespace luatrail::report
