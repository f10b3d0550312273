// Package databases, each read into the same listing.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "inventory/root.hpp"

namespace luatrail::inventory {

struct ListedFile {
    std::string path;   // absolute, as the database has it
    std::string digest; // hex, MD5, SHA-1 or SHA-256; empty: none
};

struct ListedPackage {
    std::string name, version, architecture;
    std::vector<std::vector<std::string>> depends; // each is one of these
    std::vector<std::string> provides;
    std::vector<ListedFile> files;
    std::set<std::string> conffiles; // dpkg's: what they hold is the administrator's, and has no digest
};

struct Diversion {
    std::string to, by; // "by" is a package; ":" for the administrator
};

struct Listing {
    std::vector<ListedPackage> packages;
    std::map<std::string, Diversion> diversions; // by the path that is diverted
    std::vector<std::string>
        alternatives; // links that update-alternatives keeps: "/usr/bin/lua", "/etc/alternatives/lua-interpreter"
};

// What could not be understood, with its place; more than a hundred are only counted.
class Complaints {
  public:
    void add(std::string_view place, std::string_view what);
    std::vector<std::string> take();

  private:
    std::vector<std::string> lines_;
    std::size_t more_ = 0;
};

// "lua5.4 (>= 5.4.0) | lua5.3, libc6:any" as groups of names: versions, architectures and build profiles are left away.
std::vector<std::vector<std::string>> dependencies_of(std::string_view text);

} // namespace luatrail::inventory
