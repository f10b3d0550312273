#include "luatrail/source/collect.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include <sys/stat.h>

#include "luatrail/base/text.hpp"
#include "source/archive.hpp"
#include "source/byte_source.hpp"
#include "source/first_record.hpp"
#include "source/gzip_tail.hpp"
#include "source/log_names.hpp"
#include "source/pieces.hpp"

namespace luatrail::source {
namespace {

namespace fs = std::filesystem;

InputFailure failure_of(const std::string& path, int error) {
    const auto reason = std::generic_category().message(error);
    switch (error) {
    case ENOENT:
        return {path, reason, "check the path; '-' reads standard input"};
    case EACCES:
    case EPERM:
        return {path, reason, "run as root or as a member of the log's group"};
    default:
        return {path, reason, {}};
    }
}

// The id of the earliest record that can be seen: of a log its first one, of an archive the smallest of its logs' first
// ones.
std::optional<audit::EventId> peek_first(FileSource& file, const std::string& path) {
    if (!looks_packed(file.peek(packed_mark_size))) {
        return first_record(file);
    }
    std::optional<audit::EventId> earliest;
    const auto error = visit_logs(file, [&](const Member& /*member*/, ByteSource& content) {
        const auto first = first_record(content);
        if (first && (!earliest || *first < *earliest)) {
            earliest = first;
        }
        return true;
    });
    if (!error.empty() && !earliest) { // cut off so early that only its tail can be read
        visit_gzip_tail(path, 0, [&](std::string_view block) { earliest = earliest ? earliest : first_record(block); });
    }
    return earliest;
}

class Collecting {
  public:
    explicit Collecting(std::vector<InputFailure>& failures) : failures_(failures) {}

    void add(const std::string& path) {
        struct stat status {};
        if (path.empty()) {
            failures_.push_back({"''", "an empty path", "name a file or a directory"});
        } else if (path != "-" && ::stat(path.c_str(), &status) != 0) {
            failures_.push_back(failure_of(path, errno));
        } else if (S_ISDIR(status.st_mode)) {
            add_directory(path);
        } else if (S_ISREG(status.st_mode) && status.st_size == 0) {
            failures_.push_back(
                {path, "empty file", "see whether auditd writes another one (log_file in auditd.conf)"});
        } else if (S_ISREG(status.st_mode)) {
            add_file(path, status, Origin::named);
        } else if (S_ISSOCK(status.st_mode)) {
            failures_.push_back({path, "a socket can't be read as a log", {}});
        } else { // standard input, a pipe or a device: reading ahead would take from it
            inputs.push_back({path, std::nullopt, 0, {}, {}});
        }
    }

    std::vector<Input> inputs;

  private:
    enum class Origin { named, directory };

    // True when the file is a log, though perhaps one that can't be read or that was there already.
    bool add_file(const std::string& path, const struct stat& status, Origin origin) {
        FileSource file(path);
        const bool plain = !looks_packed(file.peek(packed_mark_size));
        const auto first = peek_first(file, path);
        if (file.error_number() != 0 && file.position() == 0) {
            failures_.push_back(failure_of(path, file.error_number()));
            return true;
        }
        // Another program's log in the same directory is not an input; a damaged audit log is one, and will be
        // reported.
        if (origin == Origin::directory && !first && !fs::path(path).filename().string().starts_with("audit")) {
            return false;
        }
        if (seen_.insert({status.st_dev, status.st_ino}).second) { // a log given twice counts once
            const Input whole{path, first, static_cast<std::uint64_t>(status.st_size), {}, host_of(path, origin)};
            const auto pieces = plain && first ? pieces_of(path, whole.size) : std::vector<Piece>{};
            for (const auto& piece : pieces) {
                inputs.push_back({path, piece.first, piece.size, piece.at, whole.host});
            }
            if (pieces.empty()) {
                inputs.push_back(whole);
            }
        }
        return true;
    }

    // The directory's logs and those in its own directories, in the order of their names.
    void add_directory(const std::string& path) {
        const auto failures_before = failures_.size();
        bool found = false;
        named_ = fs::path(path) / ".";
        named_ = named_.parent_path();
        for (const auto& entry : list(path)) {
            std::error_code ignored; // what can't be looked at is named by add_entry()
            if (fs::is_directory(fs::symlink_status(entry, ignored))) {
                for (const auto& inner : list(entry)) {
                    found |= add_entry(inner);
                }
            } else {
                found |= add_entry(entry);
            }
        }
        if (!found && failures_.size() == failures_before) {
            failures_.push_back({path, "no audit logs in this directory",
                                 "logs are named *.log, *.log.N, with .gz, .xz or .zst, or are archives"});
        }
    }

    std::vector<std::string> list(const std::string& path) {
        std::vector<std::string> entries;
        std::error_code error;
        for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
            entries.push_back(at->path().string());
        }
        if (error) {
            failures_.push_back(failure_of(path, error.value()));
        }
        std::sort(entries.begin(), entries.end());
        return entries;
    }

    bool add_entry(const std::string& path) {
        const auto name = fs::path(path).filename().string();
        struct stat status {};
        if ((!is_log_name(name) && !is_archive_name(name)) || ::stat(path.c_str(), &status) != 0 ||
            !S_ISREG(status.st_mode)) {
            return false;
        }
        // An empty log is nothing strange in a directory of rotated logs.
        return status.st_size == 0 || add_file(path, status, Origin::directory);
    }

    // By the file's name, else by the directory that it lies in, below the one that was named.
    std::string host_of(const std::string& path, Origin origin) const {
        const auto name = fs::path(path).filename().string();
        const auto parent = fs::path(path).parent_path();
        const auto host = host_in_name(name);
        if (!host.empty()) {
            return std::string(host);
        }
        return origin == Origin::directory && parent == named_ ? std::string() : parent.filename().string();
    }

    fs::path named_; // the directory that is being gone through
    std::vector<InputFailure>& failures_;
    std::set<std::pair<dev_t, ino_t>> seen_;
};

// Where an input belongs in the order of all: the time of its first record, or of one that it follows.
struct Place {
    Input input;
    std::optional<audit::EventId> at;
    std::size_t behind = 0; // of those at the same
};

// Begins before the log that its name says is older: a clock stood at 1970 until it was set, or was wrong otherwise.
bool began_with_wrong_clock(const Input& input, const audit::EventId& older) {
    if (!input.first || !(*input.first < older)) {
        return false;
    }
    if (input.first->time_ms < earliest_ms) {
        return true;
    }
    const auto last = last_record(input.path, input.size);
    return last && older < *last;
}

// Rotated logs of one directory, whose numbers say which is older.
void place_behind_older(std::vector<Place*>& rotated) {
    std::stable_sort(rotated.begin(), rotated.end(), [](const Place* left, const Place* right) {
        const auto number = [](const Place* place) { return rotation_of(base::basename(place->input.path)).number; };
        return number(left) > number(right);
    });
    const Place* older = nullptr;
    for (auto* place : rotated) {
        if (older != nullptr && older->at && began_with_wrong_clock(place->input, *older->at)) {
            place->at = older->at;
            place->behind = older->behind + 1;
        }
        older = place;
    }
}

// Standard input keeps its place; the others are put in the order of their content around it.
std::vector<Input> in_order(std::vector<Input> inputs) {
    std::vector<Place> places;
    for (const auto& input : inputs) {
        if (input.path != "-") {
            places.push_back({input, input.first});
        }
    }
    std::map<std::pair<fs::path, std::string_view>, std::vector<Place*>> rotations;
    for (auto& place : places) {
        if (!place.input.piece_at) {
            const std::string_view path = place.input.path;
            rotations[{fs::path(path).parent_path(), rotation_of(base::basename(path)).log}].push_back(&place);
        }
    }
    for (auto& [log, rotated] : rotations) {
        place_behind_older(rotated);
    }
    std::stable_sort(places.begin(), places.end(), [](const Place& left, const Place& right) {
        return left.at && (!right.at || std::tie(*left.at, left.behind) < std::tie(*right.at, right.behind));
    });
    auto next = places.begin();
    for (auto& input : inputs) {
        if (input.path != "-") {
            input = (next++)->input;
        }
    }
    return inputs;
}

} // namespace

bool are_of_several_hosts(const std::vector<Input>& inputs) {
    std::map<std::string, std::set<std::string>> hosts; // by the file's name without the host's
    for (const auto& input : inputs) {
        auto name = fs::path(input.path).filename().string();
        if (!input.host.empty() && name.starts_with(input.host)) {
            name.erase(0, input.host.size());
        }
        hosts[name].insert(input.host);
        hosts[name].erase("");
    }
    return std::any_of(hosts.begin(), hosts.end(), [](const auto& one) { return one.second.size() > 1; });
}

std::vector<Input> collect_inputs(const std::vector<std::string>& paths, std::vector<InputFailure>& failures) {
    Collecting collecting(failures);
    for (const auto& path : paths) {
        collecting.add(path);
    }
    return in_order(std::move(collecting.inputs));
}

} // namespace luatrail::source
