// What the plugin asks its look-up helper, and what that answers, as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::plugin {

// A run as a question describes it. The helper looks itself where it can, and believes the rest only so far
// (look_up.hpp).
struct AskedRun {
    struct Above {
        std::uint32_t pid = 0;
        std::optional<std::string> exe;
    };
    std::uint32_t pid = 0;
    std::int64_t time_ms = 0;
    std::optional<std::string> exe;
    detect::Origin origin = detect::Origin::unknown;
    std::optional<std::string> argument, path; // of the code
    std::optional<std::uint64_t> inode;
    std::optional<std::uint32_t> user; // effective, else real
    std::vector<Above> above;          // ancestors, the nearest first
};
AskedRun asked_run(const detect::Finding& finding);

// What a look showed.
struct Seen {
    detect::Evidence evidence;
    std::optional<std::string> unit, container;
    std::optional<std::string> format; // of the code
    bool terminal = false;             // its standard input is one: somebody types
};
// Adds it to the finding; what the records said stays.
void add_to(detect::Finding& finding, Seen seen);

enum class Question : std::uint8_t { evidence, init, lua };
struct Asked {
    Question question = Question::evidence;
    AskedRun run;
};
struct Answered {
    std::optional<Seen> seen;        // of Question::evidence
    std::optional<std::string> text; // of the others
};

// read_... throw base::UnpackError.
std::string write_asked(const Asked& asked);
Asked read_asked(std::string_view bytes);
std::string write_answered(const Answered& answered);
Answered read_answered(std::string_view bytes);

} // namespace luatrail::plugin
