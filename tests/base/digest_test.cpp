#include "luatrail/base/digest.hpp"

#include "support/catch.hpp"

using namespace luatrail::base;

TEST_CASE("digests are those of the standards") { // RFC 1321, A.5; RFC 3174, 7.3; FIPS 180-2, B.1
    CHECK(digest_hex(DigestKind::md5, "abc") == "900150983cd24fb0d6963f7d28e17f72");
    CHECK(digest_hex(DigestKind::sha1, "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(digest_hex(DigestKind::sha256, "abc") == sha256_hex("abc"));
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a digest does not depend on the pieces in which bytes come") {
    const std::string bytes("some bytes\0and more", 19);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        Sha256 digest;
        digest.add(std::string_view(bytes).substr(0, cut));
        digest.add(std::string_view(bytes).substr(cut));
        CHECK(digest.hex() == sha256_hex(bytes));
    }
}
