#include "luatrail/report/json.hpp"

#include "report/finding_json.hpp"

namespace luatrail::report {

std::string to_json(const detect::Finding& finding) {
    return json_within(finding, most_json_bytes, Characters::utf8);
}

} // namespace luatrail::report
