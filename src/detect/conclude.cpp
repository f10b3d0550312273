#include "detect/conclude.hpp"

#include <algorithm>

#include "luatrail/base/digest.hpp"
#include "luatrail/detect/severity.hpp"

namespace luatrail::detect {

bool conclude(const Node& node, std::string_view kind, Finding& finding) {
    const auto severity = severity_of(finding.expectation.verdict, chained_with(finding));
    if (!severity) {
        return false;
    }
    finding.severity = *severity;
    for (const auto& entry : finding.chain) {
        if (std::find(finding.events.begin(), finding.events.end(), entry.event) == finding.events.end()) {
            finding.events.push_back(entry.event);
        }
    }
    std::string named = node.name;
    for (const auto& event : finding.events) {
        named.append(1, '\0').append(audit::to_string(event));
    }
    constexpr std::size_t id_digits = 16;
    finding.id = base::sha256_hex(named.append(1, '\0').append(kind)).substr(0, id_digits);
    return true;
}

} // namespace luatrail::detect
