// What the package databases say of files that are meant to be edited, and of digests that are not known.
#include "support/catch.hpp"

#include <string>

#include <zlib.h>

#include "inventory/apk.hpp"
#include "inventory/database.hpp"
#include "inventory/pacman.hpp"
#include "inventory/root.hpp"
#include "support/temp_dir.hpp"

namespace databases_test {

using namespace luatrail::inventory;

namespace {

// "/etc/x - /usr/bin/x 0123..."
std::string files_of(const ListedPackage& package) {
    std::string text;
    for (const auto& file : package.files) {
        text += (text.empty() ? "" : " ") + file.path + " " + (file.digest.empty() ? "-" : file.digest);
    }
    return text;
}

} // namespace

TEST_CASE("apk: what lies in /etc is edited, SHA-1 and SHA-256 are compared, another digest is told") {
    const test::TempDir root;
    root.write("lib/apk/db/installed", "P:lsyncd\nV:2.3\nA:x86_64\n"
                                       "F:usr/bin\nR:lsyncd\nZ:Q1AAECAwQFBgcICQoLDA0ODxAREhM=\n"
                                       "R:other\nZ:Q2AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nR:third\nZ:Q3AAAA\n"
                                       "F:etc/lsyncd\nR:lsyncd.conf.lua\nZ:Q1AAECAwQFBgcICQoLDA0ODxAREhM=\n\n");
    Listing listing;
    Complaints complaints;
    REQUIRE(read_apk(Root(root.path()), listing, complaints));
    REQUIRE(listing.packages.size() == 1);
    CHECK(files_of(listing.packages[0]) ==
          "/usr/bin/lsyncd 000102030405060708090a0b0c0d0e0f10111213 "
          "/usr/bin/other 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
          "/usr/bin/third - /etc/lsyncd/lsyncd.conf.lua -");
    CHECK(complaints.take().size() == 1);
}

TEST_CASE("pacman: what is backed up is meant to be edited") {
    const test::TempDir root;
    root.write("var/lib/pacman/local/lsyncd-2.3-1/desc", "%NAME%\nlsyncd\n\n%VERSION%\n2.3-1\n\n%ARCH%\nx86_64\n");
    root.write("var/lib/pacman/local/lsyncd-2.3-1/files",
               "%FILES%\netc/\netc/lsyncd.conf\nusr/bin/lsyncd\n\n%BACKUP%\netc/lsyncd.conf\t0123456789abcdef\n");
    const auto mtree = root.path("var/lib/pacman/local/lsyncd-2.3-1/mtree");
    const std::string lines =
        "#mtree\n./etc/lsyncd.conf time=1.0 sha256digest=aa\n./usr/bin/lsyncd time=1.0 sha256digest=bb\n";
    auto* const packed = ::gzopen(mtree.c_str(), "wb");
    REQUIRE(::gzwrite(packed, lines.data(), static_cast<unsigned>(lines.size())) == static_cast<int>(lines.size()));
    REQUIRE(::gzclose(packed) == Z_OK);
    Listing listing;
    Complaints complaints;
    REQUIRE(read_pacman(Root(root.path()), listing, complaints));
    REQUIRE(listing.packages.size() == 1);
    CHECK(files_of(listing.packages[0]) == "/etc/lsyncd.conf - /usr/bin/lsyncd bb");
}

} // namespace databases_test
