// The schema's lists beside the tables that the program has.
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "luatrail/detect/finding.hpp"
#include "report/shorten.hpp"
#include "support/catch.hpp"

using namespace luatrail;
using nlohmann::ordered_json;
using Names = std::vector<std::string>;

namespace {

template <class Enumerator>
Names of() {
    return {detect::names<Enumerator>().begin(), detect::names<Enumerator>().end()};
}

Names of_chain_kinds() {
    Names names;
    for (const auto& row : detect::chain_kinds) {
        names.emplace_back(row.name);
    }
    return names;
}

// The path of each list of names: "/properties/severity".
void find_lists(const ordered_json& schema, const std::string& path, std::map<std::string, Names>& found) {
    for (const auto& [key, value] : schema.items()) {
        if (key == "enum") {
            found[path] = value.get<Names>();
        } else if (value.is_structured()) {
            find_lists(value, path + "/" + key, found);
        }
    }
}

} // namespace

TEST_CASE("each list of names in the schema is that of the program's table") {
    std::ifstream file(LUATRAIL_SOURCE_DIR "/docs/finding.schema.json");
    std::map<std::string, Names> lists;
    find_lists(ordered_json::parse(file), "", lists);
    const auto keys = report::shortened_keys();
    CHECK(lists ==
          std::map<std::string, Names>{{"/properties/severity", of<detect::Severity>()},
                                       {"/properties/interpreter/properties/identified_by", of<detect::IdentifiedBy>()},
                                       {"/properties/code/properties/origin", of<detect::Origin>()},
                                       {"/properties/expectation/properties/verdict", of<detect::Verdict>()},
                                       {"/properties/chain/items/properties/kind", of_chain_kinds()},
                                       {"/properties/chain/items/properties/how", of<detect::How>()},
                                       {"/properties/degraded/items", of<detect::Degraded>()},
                                       {"/properties/shortened/items", {keys.begin(), keys.end()}}});
}
