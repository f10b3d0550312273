// luatrail-rpm DIRECTORY: lists the rpm database in a directory, for `luatrail inventory build`.
//
// A program of its own, because librpm is under the GPL and the program that links it is, too; luatrail only reads its
// output. The format stands in src/inventory/rpm.cpp. Nothing is verified. librpm may write into the directory:
// luatrail gives it a copy.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>

#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmmacro.h>
#include <rpm/rpmts.h>

namespace {

// Control characters and '\' as "\xHH": a line is a line.
void print_escaped(const char* text) {
    for (; *text != '\0'; ++text) {
        const auto byte = static_cast<unsigned char>(*text);
        if (byte < 0x20 || byte == '\\') {
            std::printf("\\x%02x", byte);
        } else {
            std::putchar(byte);
        }
    }
}

void print_names(Header header, rpmTagVal tag, char kind) {
    rpmtd names = rpmtdNew();
    if (headerGet(header, tag, names, HEADERGET_MINMEM) != 0) {
        while (const char* name = rpmtdNextString(names)) {
            if (std::strncmp(name, "rpmlib(", 7) != 0) {
                std::printf("%c\t", kind);
                print_escaped(name);
                std::putchar('\n');
            }
        }
        rpmtdFreeData(names);
    }
    rpmtdFree(names);
}

void print_files(Header header) {
    rpmfiles files = rpmfilesNew(nullptr, header, 0, RPMFI_KEEPHEADER);
    const int count = rpmfilesFC(files);
    for (int at = 0; at < count; ++at) {
        if ((rpmfilesFFlags(files, at) & RPMFILE_GHOST) != 0 || (rpmfilesFMode(files, at) & 0170000) != 0100000) {
            continue; // only regular files that the package brought
        }
        std::size_t size = 0;
        const unsigned char* digest = rpmfilesFDigest(files, at, nullptr, &size);
        if ((rpmfilesFFlags(files, at) & RPMFILE_CONFIG) != 0) { // meant to be edited
            digest = nullptr;
        }
        std::printf("F\t");
        for (std::size_t byte = 0; digest != nullptr && byte < size; ++byte) {
            std::printf("%02x", digest[byte]);
        }
        std::printf("%s\t", digest == nullptr || size == 0 ? "-" : "");
        char* name = rpmfilesFN(files, at);
        print_escaped(name);
        std::free(name);
        std::putchar('\n');
    }
    rpmfilesFree(files);
}

void print_package(Header header) {
    char* version = headerGetAsString(header, RPMTAG_EVR);
    const char* architecture = headerGetString(header, RPMTAG_ARCH);
    std::printf("P\t%s\t%s\t%s\n", headerGetString(header, RPMTAG_NAME), version,
                architecture != nullptr ? architecture : "");
    std::free(version);
    print_names(header, RPMTAG_REQUIRENAME, 'R');
    print_names(header, RPMTAG_PROVIDENAME, 'V');
    print_files(header);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2 || argv[1][0] == '-') {
        std::fputs(
            "usage: luatrail-rpm DIRECTORY\n\nLists the rpm database in DIRECTORY, for `luatrail inventory build`.\n",
            stderr);
        return 2;
    }
    rpmReadConfigFiles(nullptr, nullptr);
    rpmPushMacro(nullptr, "_dbpath", nullptr, argv[1], 0);
    rpmts transaction = rpmtsCreate();
    rpmtsSetVSFlags(transaction, _RPMVSF_NODIGESTS | _RPMVSF_NOSIGNATURES);
    if (rpmtsOpenDB(transaction, O_RDONLY) != 0) {
        std::fprintf(stderr, "luatrail-rpm: %s: the database can't be opened\n", argv[1]);
        return 1;
    }
    rpmdbMatchIterator matches = rpmtsInitIterator(transaction, RPMDBI_PACKAGES, nullptr, 0);
    while (Header header = rpmdbNextIterator(matches)) {
        if (std::strcmp(headerGetString(header, RPMTAG_NAME), "gpg-pubkey") != 0) {
            print_package(header);
        }
    }
    rpmdbFreeIterator(matches);
    rpmtsFree(transaction);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
