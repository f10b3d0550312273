#include "source/pieces.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

#include <fcntl.h>
#include <unistd.h>

#include "luatrail/source/parser.hpp"
#include "source/line_parser.hpp"

namespace luatrail::source {
namespace {

constexpr std::uint64_t sampled_from = 256UL * 1024; // a smaller file is read whole
constexpr std::uint64_t sample_distance = 32UL * 1024;
constexpr std::size_t sample_size = 4096;
constexpr std::uint64_t most_samples = 4096;
constexpr std::size_t block_size = 1024UL * 1024;
constexpr std::size_t tail_size = 64UL * 1024;
constexpr std::size_t most_pieces = 4096;

constexpr std::int64_t slack_ms = 2000; // records of several processors, and of long calls, are out of order by as much
constexpr std::int64_t month_ms = 31LL * 24 * 3600 * 1000;

class File {
  public:
    explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }

    // What could be read; the reader of the log will say what could not.
    std::string read(std::uint64_t at, std::size_t size) const {
        std::string bytes(size, '\0');
        std::size_t got = 0;
        while (got < size) {
            const auto count = ::pread(descriptor_, bytes.data() + got, size - got, static_cast<off_t>(at + got));
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count <= 0) {
                break;
            }
            got += static_cast<std::size_t>(count);
        }
        bytes.resize(got);
        return bytes;
    }

  private:
    int descriptor_;
};

// Calls `visit` with the offset and the id of each line with a record; until it returns false. What begins before the
// first line's end is left out unless the text begins at the file's own start.
using Visit = std::function<bool(std::uint64_t at, const audit::EventId& id)>;

bool visit_lines(std::string_view text, std::uint64_t at, const Visit& visit) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        audit::Record record;
        Malformed reason{};
        if (parse_line(text.substr(0, end), record, reason) && !visit(at, record.id)) {
            return false;
        }
        const auto next = std::min(end + 1, text.size());
        text.remove_prefix(next);
        at += next;
    }
    return true;
}

std::string_view from_next_line(std::string_view text) {
    return text.substr(std::min(text.find('\n'), text.size() - 1) + 1);
}

std::optional<audit::EventId> first_id(std::string_view text) {
    std::optional<audit::EventId> found;
    visit_lines(text, 0, [&found](std::uint64_t /*at*/, const audit::EventId& id) {
        found = id;
        return false;
    });
    return found;
}

// The numbers go on, so it is the same kernel a little later, whatever its clock says.
bool goes_on(const audit::EventId& last, const audit::EventId& next, std::uint64_t most = 256) {
    return next.serial >= last.serial && next.serial - last.serial <= most;
}

bool goes_back(const audit::EventId& last, const audit::EventId& next) {
    return next.time_ms + slack_ms < last.time_ms;
}

bool samples_go_back(const File& file, std::uint64_t size) {
    const auto step = std::max(sample_distance, size / most_samples);
    std::optional<audit::EventId> last;
    for (std::uint64_t at = 0; at < size; at += step) {
        const auto text = file.read(at, sample_size);
        const auto id = text.empty() ? std::nullopt : first_id(at == 0 ? std::string_view(text) : from_next_line(text));
        if (id && last && goes_back(*last, *id)) {
            return true;
        }
        last = id ? id : last;
    }
    return false;
}

// Cuts a file where the next record does not follow the last one.
class Cutting {
  public:
    bool take(std::uint64_t at, const audit::EventId& id) {
        const bool follows = !pieces.empty() && goes_on(pieces.back().last, id);
        const bool late = !pieces.empty() && !goes_back(pieces.back().last, id) && id < pieces.back().last;
        if (!follows && !late) {
            backwards = backwards || (!pieces.empty() && goes_back(pieces.back().last, id));
            pieces.push_back({at, 0, id, id});
        }
        auto& piece = pieces.back();
        stepped = stepped || (follows && goes_back(piece.last, id)) || id.time_ms < earliest_ms;
        piece.last = late ? piece.last : id;
        return !stepped && pieces.size() <= most_pieces;
    }

    std::vector<Piece> pieces;
    bool backwards = false; // anywhere
    bool stepped = false;   // a clock was set back
};

bool are_consistent(const std::vector<Piece>& sorted) {
    return std::adjacent_find(sorted.begin(), sorted.end(), [](const Piece& earlier, const Piece& later) {
               const bool neighbours = earlier.at + earlier.size == later.at;
               const auto pause = later.first.time_ms - earlier.last.time_ms;
               return pause < -slack_ms || (!neighbours && pause > month_ms);
           }) == sorted.end();
}

std::vector<Piece> joined(const std::vector<Piece>& sorted) {
    std::vector<Piece> made;
    for (const auto& piece : sorted) {
        if (!made.empty() && made.back().at + made.back().size == piece.at) {
            made.back().size += piece.size;
            made.back().last = piece.last;
        } else {
            made.push_back(piece);
        }
    }
    return made;
}

bool cut_whole(const File& file, std::uint64_t size, Cutting& cutting) {
    std::string text;
    std::uint64_t at = 0;
    for (std::uint64_t next = 0; next < size;) {
        const auto block = file.read(next, std::min<std::uint64_t>(block_size, size - next));
        if (block.empty()) {
            return false;
        }
        next += block.size();
        text += block;
        // Up to the last line's end; a line without one is the file's last.
        const auto whole = next < size ? text.rfind('\n') + 1 : text.size();
        if (whole == 0 && text.size() > max_line) {
            return false;
        }
        const bool good =
            visit_lines(std::string_view(text).substr(0, whole), at,
                        [&](std::uint64_t line, const audit::EventId& id) { return cutting.take(line, id); });
        if (!good) {
            return false;
        }
        at += whole;
        text.erase(0, whole);
    }
    return true;
}

} // namespace

std::vector<Piece> pieces_of(const std::string& path, std::uint64_t size) {
    const File file(path);
    if (size > sampled_from && !samples_go_back(file, size)) {
        return {};
    }
    Cutting cutting;
    auto& pieces = cutting.pieces;
    if (!cut_whole(file, size, cutting) || !cutting.backwards) {
        return {};
    }
    pieces.front().at = 0; // with what stands before its first record
    for (std::size_t at = 0; at < pieces.size(); ++at) {
        pieces[at].size = (at + 1 < pieces.size() ? pieces[at + 1].at : size) - pieces[at].at;
    }
    std::stable_sort(pieces.begin(), pieces.end(),
                     [](const Piece& left, const Piece& right) { return left.first < right.first; });
    return are_consistent(pieces) ? joined(pieces) : std::vector<Piece>{};
}

std::optional<audit::EventId> last_record(const std::string& path, std::uint64_t size) {
    const File file(path);
    const auto at = size > tail_size ? size - tail_size : 0;
    const auto text = file.read(at, tail_size);
    std::optional<audit::EventId> last;
    if (!text.empty()) {
        visit_lines(at == 0 ? std::string_view(text) : from_next_line(text), 0,
                    [&last](std::uint64_t /*at*/, const audit::EventId& id) {
                        last = id;
                        return true;
                    });
    }
    return last;
}

} // namespace luatrail::source
