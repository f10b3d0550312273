// What the package databases say of files that are meant to be edited, and of digests that are not known.
#include "support/catch.hpp"

#include <string>

#include <zlib.h>

#include "inventory/apk.hpp"
#include "inventory/database.hpp"
#include "inventory/dpkg.hpp"
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

namespace {

struct Read {
    Listing listing;
    std::vector<std::string> complaints;
};

Read dpkg_of(const test::TempDir& root) {
    Read read;
    Complaints complaints;
    REQUIRE(read_dpkg(Root(root.path()), read.listing, complaints));
    read.complaints = complaints.take();
    return read;
}

std::string names_of(const Listing& listing) {
    std::string names;
    for (const auto& package : listing.packages) {
        names += (names.empty() ? "" : " ") + package.name;
    }
    return names;
}

} // namespace

TEST_CASE("dpkg: conffiles are meant to be edited, also where a package lists their digest") {
    const test::TempDir root;
    root.write("var/lib/dpkg/status", "Package: lsyncd\nStatus: install ok installed\nArchitecture: amd64\n"
                                      "Conffiles:\n /etc/lsyncd.lua 0123456789abcdef0123456789abcdef\n"
                                      " /etc/old.lua newconffile obsolete\n");
    root.write("var/lib/dpkg/info/lsyncd.list", "/.\n/etc\n/etc/lsyncd.lua\n/usr/bin/lsyncd\n");
    root.write("var/lib/dpkg/info/lsyncd.md5sums", "0123456789abcdef0123456789abcdef  etc/lsyncd.lua\n"
                                                   "00112233445566778899aabbccddeeff  usr/bin/lsyncd\n");
    const auto read = dpkg_of(root);
    CHECK(files_of(read.listing.packages.at(0)) ==
          "/etc - /etc/lsyncd.lua - /usr/bin/lsyncd 00112233445566778899aabbccddeeff");
    CHECK(read.complaints.empty());
}

TEST_CASE("dpkg: a broken paragraph of the status file is read as far as it goes, and told") {
    const test::TempDir root;
    root.write("var/lib/dpkg/status",
               "Package: one\nStatus: install ok installed\nArchitecture: amd64\n" // no empty line
               "Package: two\nStatus: install ok\nArchitecture: amd64\n\n"
               "Package: three\nStatus: install ok inst\ngarbage\nArchitecture: amd64\n\n"
               "Status: install ok installed\nVersion: 1\n\n"
               "Package: four\nStatus: deinstall ok config-files\n\n"
               "Package: five\nStatus: install ok installed\nArchitecture: amd64\n");
    for (const auto* name : {"one", "two", "three", "five"}) {
        root.write("var/lib/dpkg/info/" + std::string(name) + ".list", "/.\n/usr/bin/" + std::string(name) + "\n");
    }
    const auto read = dpkg_of(root);
    CHECK(names_of(read.listing) == "one two three five");
    CHECK(read.complaints ==
          std::vector<std::string>{"/var/lib/dpkg/status:4: no empty line between two packages",
                                   "/var/lib/dpkg/status:4: a status that dpkg does not have: taken for installed",
                                   "/var/lib/dpkg/status:10: neither a field nor the end of a stanza",
                                   "/var/lib/dpkg/status:8: a status that dpkg does not have: taken for installed",
                                   "/var/lib/dpkg/status:13: no package's name"});
}

TEST_CASE("dpkg: images without dpkg list files in info, beside the package's part, or not at all") {
    const test::TempDir root;
    root.write("var/lib/dpkg/status.d/lua5.4", "Package: lua5.4\nVersion: 5.4.6\nArchitecture: amd64\n");
    root.write("var/lib/dpkg/info/lua5.4.list", "/.\n/usr/bin/lua5.4\n");
    root.write("var/lib/dpkg/info/lua5.4.md5sums", "00112233445566778899aabbccddeeff  usr/bin/lua5.4\n");
    root.write("var/lib/dpkg/status.d/both", "Package: both\nArchitecture: amd64\n");
    root.write("var/lib/dpkg/status.d/both.md5sums", "00112233445566778899aabbccddeeff  usr/bin/both\n");
    root.write("var/lib/dpkg/info/both.list", "/.\n/usr/bin/both\n/usr/bin/link\n");
    root.write("var/lib/dpkg/status.d/digests", "Package: digests\nArchitecture: amd64\n");
    root.write("var/lib/dpkg/status.d/digests.md5sums", "00112233445566778899aabbccddeeff  usr/bin/digests\n");
    root.write("var/lib/dpkg/status.d/nothing", "Package: nothing\nArchitecture: amd64\n");
    const auto read = dpkg_of(root);
    const auto& packages = read.listing.packages;
    REQUIRE(names_of(read.listing) == "both digests lua5.4 nothing");
    CHECK(files_of(packages[0]) == "/usr/bin/both 00112233445566778899aabbccddeeff /usr/bin/link -");
    CHECK(files_of(packages[1]) == "/usr/bin/digests 00112233445566778899aabbccddeeff");
    CHECK(files_of(packages[2]) == "/usr/bin/lua5.4 00112233445566778899aabbccddeeff");
    CHECK(packages[3].files.empty());
    CHECK(read.complaints ==
          std::vector<std::string>{"/var/lib/dpkg/info/nothing.list: not there: what the package owns "
                                   "is not known"});
}

} // namespace databases_test
