#include "luatrail/detect/finding.hpp"

#include "support/catch.hpp"

namespace finding_test {

using namespace luatrail::detect;

TEST_CASE("a severity is read by its name alone") {
    std::size_t at = 0;
    for (const auto name : names<Severity>()) {
        INFO(name);
        CHECK(severity_from(name) == static_cast<Severity>(at++));
    }
    for (const char* other : {"", "INFO", "warning", "high ", "3"}) {
        CHECK_FALSE(severity_from(other).has_value());
    }
}

} // namespace finding_test
