#include "luatrail/base/sealed.hpp"

#include "support/catch.hpp"

using namespace luatrail::base;

TEST_CASE("what was sealed is whole, and nothing else is") {
    const Seal seal{"thing", 3};
    const std::string bytes("line\n\0more", 10);
    const auto content = seal_line(seal, bytes) + bytes;
    std::string_view rest;
    REQUIRE(check_seal(seal, content, rest) == Sealed::whole);
    CHECK(rest == bytes);
    CHECK(seal_line(seal, "") ==
          "luatrail thing 3 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
    for (std::size_t at = 0; at < content.size(); ++at) {
        auto altered = content;
        altered[at] = static_cast<char>(altered[at] ^ 1);
        CHECK(check_seal(seal, altered, rest) != Sealed::whole);
        CHECK(check_seal(seal, content.substr(0, at), rest) != Sealed::whole);
    }
    CHECK(check_seal(seal, content + "x", rest) == Sealed::altered);
    CHECK(check_seal({"thing", 4}, content, rest) == Sealed::other_version);
    CHECK(check_seal({"thin", 3}, content, rest) == Sealed::foreign);
    CHECK(check_seal(seal, "", rest) == Sealed::foreign);
}
