// rpm's database, by a helper program: librpm is under the GPL, and reads every format that the database ever had.
//
// The helper prints lines of fields parted by TAB: "P name version architecture", then of that package "R requirement",
// "V what it provides", "F digest path" ("-" for no digest); bytes below 0x20 and '\' in a path are "\xHH".
#include "inventory/rpm.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/command.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/words.hpp"

namespace luatrail::inventory {
namespace {

// Where distributions keep it, newest first (rpm's macro _dbpath); ostree's hosts in /usr/share/rpm.
constexpr std::array directories{"/usr/lib/sysimage/rpm", "/usr/share/rpm", "/var/lib/rpm"};

// The database's directory, copied: librpm writes locks and indexes beside what it reads, and follows links out of a
// root.
class Copy {
  public:
    explicit Copy(const Root& root) {
        for (const std::string directory : directories) {
            for (const auto& name : root.list(directory)) {
                if (name.starts_with("rpmdb.sqlite") || name.starts_with("Packages") || name == "Index.db") {
                    add(root, fmt::format("{}/{}", directory, name), name);
                }
            }
            if (any()) {
                return;
            }
        }
    }
    ~Copy() {
        std::error_code ignored;
        if (!directory_.empty()) {
            std::filesystem::remove_all(directory_, ignored);
        }
    }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    bool any() const { return !directory_.empty(); }
    const std::string& directory() const { return directory_; }

  private:
    void add(const Root& root, const std::string& path, const std::string& name) {
        constexpr std::size_t most = std::size_t{4} << 30U;
        const auto content = root.read(path, most);
        if (!content) {
            return;
        }
        if (directory_.empty()) {
            auto made = (std::filesystem::temp_directory_path() / "luatrail-rpm-XXXXXX").string();
            if (::mkdtemp(made.data()) == nullptr) {
                throw base::Error(fmt::format("{}: {}; name another directory for temporary files as TMPDIR", made,
                                              std::strerror(errno)));
            }
            directory_ = made;
        }
        std::ofstream(directory_ + "/" + name, std::ios::binary) << *content;
    }

    std::string directory_;
};

std::string from_hex_escapes(std::string_view text) {
    std::string out;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text.substr(at, 2) == "\\x" && text.size() - at >= 4) {
            out += static_cast<char>(digit(text[at + 2]) * 16 + digit(text[at + 3]));
            at += 3;
        } else {
            out += text[at];
        }
    }
    return out;
}

} // namespace

bool read_rpm(const Root& root, const std::string& helper, Listing& listing, Complaints& complaints) {
    const Copy copy(root);
    if (!copy.any()) {
        return false;
    }
    const auto listed = helper.empty() ? std::nullopt : base::run_command({helper, copy.directory()});
    if (!listed || listed->status != 0) {
        complaints.add("rpm's database", listed ? fmt::format("{} ended with status {}", helper, listed->status)
                                                : fmt::format("not read: the program {} is not there",
                                                              helper.empty() ? "luatrail-rpm" : helper));
        return true;
    }
    for (const auto line : base::lines(listed->out)) {
        const auto fields = base::fields(line, '\t');
        if (fields[0] == "P" && fields.size() == 4) {
            auto& package = listing.packages.emplace_back();
            package.name = fields[1];
            package.version = fields[2];
            package.architecture = fields[3];
        } else if (listing.packages.empty() || fields.size() < 2) {
            complaints.add("rpm's database", "a line of the helper that is not understood");
        } else if (fields[0] == "R") {
            listing.packages.back().depends.push_back({std::string(fields[1])});
        } else if (fields[0] == "V") {
            listing.packages.back().provides.emplace_back(fields[1]);
        } else if (fields[0] == "F" && fields.size() == 3) {
            listing.packages.back().files.push_back(
                {from_hex_escapes(fields[2]), fields[1] == "-" ? std::string() : std::string(fields[1])});
        }
    }
    return true;
}

} // namespace luatrail::inventory
