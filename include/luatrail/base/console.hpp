// What the program says to a person: messages on standard error, terminals, progress, exit statuses.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace luatrail::base {

// The designed exit statuses.
inline constexpr int exit_clean = 0;   // no finding at or above the asked severity
inline constexpr int exit_finding = 1; // at least one
inline constexpr int exit_trouble = 2; // wrong usage, configuration, or an input or output that failed

// "luatrail: TEXT" on standard error, one line, safe for a terminal.
void say(std::string_view text);

// Colour: a terminal, and neither NO_COLOR (no-color.org) nor TERM=dumb.
bool wants_colour(std::FILE* file);
// Columns of the terminal that `file` is, or 80.
std::size_t columns(std::FILE* file);

// Descriptors 0 to 2 that were closed at start are taken by /dev/null, so that no log or socket gets their number; a
// closed standard output stays unwritable and is reported when something is written to it. SIGPIPE becomes an ordinary
// error.
void secure_standard_streams();

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

// Throws base::Error "PATH: reason; remedy". Created with mode 0600: findings and logs are nobody else's business.
File open_for_writing(const std::string& path);

// A line with per cent on a terminal, rewritten at most ten times a second. Clears itself.
class Progress {
  public:
    Progress(bool shown, std::uint64_t total_bytes) : shown_(shown), total_(total_bytes) {}
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void advance(std::uint64_t bytes);
    void clear();

  private:
    bool shown_ = false;
    bool drawn_ = false;
    std::uint64_t total_ = 0, done_ = 0;
    std::int64_t last_ms_ = 0;
};

} // namespace luatrail::base
