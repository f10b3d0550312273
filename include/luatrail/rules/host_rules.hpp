// The audit rules that luatrail ships, cut to one host: its processor, its directories, its interpreters.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/rules/rule.hpp"

namespace luatrail::rules {

// full: every exec, fork and exit. lean: execs of interpreters and of what lies where files get dropped.
enum class Profile : std::uint8_t { full, lean };
std::string_view to_string(Profile profile);

// What the rules depend on of a host.
struct Host {
    std::string machine; // as uname(2) names the processor
    // Where a directory really lies: dir= does not follow a link at its end (kernel/audit_tree.c). Nothing: not there.
    std::function<std::optional<std::string>(const std::string&)> directory;
    // Files, links followed: exe= and path= name a file.
    std::vector<std::string> interpreters;        // programs that are for Lua
    std::optional<std::string> package_manager{}; // whose changes are not asked for while root runs it
    std::vector<std::string> host_programs{};     // for something else, with Lua inside, by the profiles
    std::vector<std::string> library_users{};     // others that bring a Lua library with them
    std::vector<std::string> libraries{};         // Lua's own
    bool io_uring = false;                        // its auditctl knows the list io_uring
};

// A part of the shipped rules: one file of audit-rules/.
struct Topic {
    std::string title;
    std::vector<Rule> rules;
    std::vector<std::string> left_out; // directories that the host does not have
};

// Rules that differ in their calls alone come as one. Throws base::Error when libaudit does not know the processor.
std::vector<Topic> host_rules(Profile profile, const Host& host);

// As a rules file, with a line of comment for each topic.
std::string rules_file(Profile profile, const Host& host);

// The shipped files, as they are: name and text.
struct ShippedFile {
    std::string_view name, text;
};
const std::vector<ShippedFile>& shipped_files();

// The directories whose changes the shipped rules report, in the files' order, each once. Those of another processor's
// rules and those that a host does not have are among them.
std::vector<std::string> watched_directories();

} // namespace luatrail::rules
