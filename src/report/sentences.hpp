// What a finding says in sentences: its title and its reasons.
#pragma once

#include <string>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

struct ReasonText {
    std::string id;   // "unexpected-user", "script-drop": stable
    std::string text; // one sentence
};

struct Sentences {
    std::string title;
    std::string why; // it was expected, or not
    std::vector<ReasonText> reasons;
};

Sentences sentences_of(const detect::Finding& finding);

} // namespace luatrail::report
