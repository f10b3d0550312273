#include "luatrail/source/input.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <sys/stat.h>

#include "source/archive.hpp"
#include "source/byte_source.hpp"
#include "source/first_record.hpp"
#include "source/gzip_tail.hpp"

namespace luatrail::source {
namespace {

// Where NUL bytes distinguish a binary file from a log with a damaged line.
constexpr std::size_t binary_check_size = 64UL * 1024;

// A member of an archive must show a record in as much, or it is another program's log.
constexpr std::size_t member_check_size = 64UL * 1024;

// An archive's logs are read in the order of their content, which takes a pass through the archive for each step back.
// Beyond so many logs they are read in the archive's order.
constexpr std::size_t most_sorted_members = 256;

// Reads one input; what is common to its parts.
class Reading {
  public:
    Reading(const Input& input, Parser& parser, const Progress& progress)
        : input_(input), parser_(parser), progress_(progress) {}

    std::optional<InputFailure> run() {
        if (input_.piece_at) {
            FileSource piece(input_.path, *input_.piece_at, input_.size, position());
            return read_text(piece);
        }
        FileSource file(input_.path, position());
        if (looks_packed(file.peek(packed_mark_size))) {
            return is_file() ? read_archive() : read_stream(file);
        }
        return read_text(file);
    }

  private:
    std::optional<InputFailure> read_text(FileSource& file) {
        feed(file);
        parser_.finish();
        if (!file.error().empty()) {
            return failure(file.error());
        }
        return binary_ ? std::optional(binary_failure()) : std::nullopt;
    }

    // Progress counts every byte once, however often an archive is gone through.
    FileSource::Position position() {
        return [this](std::uint64_t at) {
            if (progress_ && at > reported_) {
                progress_(at - reported_);
                reported_ = at;
            }
        };
    }

    bool is_file() const {
        struct stat status {};
        return input_.path != "-" && ::stat(input_.path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    }

    InputFailure failure(const std::string& reason, const std::string& remedy = {}) const {
        return {input_.path, reason, remedy};
    }
    InputFailure binary_failure() const {
        if (parser_.counters().malformed.at(static_cast<std::size_t>(Malformed::utf16)) > 0) {
            return failure("UTF-16 text", "convert it first: iconv -f UTF-16 -t UTF-8");
        }
        return failure("binary file", "name an audit log, or an archive of audit logs");
    }

    // Returns the number of bytes.
    std::uint64_t feed(ByteSource& text) {
        const auto records = parser_.counters().records;
        bool has_nul = false;
        std::uint64_t seen = 0;
        for (auto block = text.next(); !block.empty(); block = text.next()) {
            if (seen < binary_check_size) {
                has_nul |= block.substr(0, binary_check_size - seen).find('\0') != std::string_view::npos;
            }
            seen += block.size();
            parser_.feed(block);
        }
        binary_ |= has_nul && parser_.counters().records == records;
        return seen;
    }

    bool is_audit_log(const Member& member, ByteSource& content) const {
        return member.alone || first_record(content.peek(member_check_size)).has_value();
    }

    // Each log as it comes.
    std::optional<InputFailure> read_stream(FileSource& file) {
        bool archive = false;
        std::uint64_t bytes = 0;
        const auto error = visit_logs(file, [&](const Member& member, ByteSource& content) {
            archive |= !member.alone;
            if (is_audit_log(member, content)) {
                bytes = feed(content);
                if (archive) {
                    parser_.finish();
                }
                ++logs_;
            }
            return true;
        });
        if (!error.empty() && !archive && is_file()) {
            visit_gzip_tail(input_.path, bytes, [this](std::string_view block) { parser_.feed(block); });
        }
        parser_.finish();
        return result(file, error);
    }

    std::optional<InputFailure> result(const FileSource& file, const std::string& error) const {
        if (!error.empty()) {
            const bool own = error == file.error(); // says already where it was
            return failure(own ? error : fmt::format("{}: read up to byte {}", error, file.position()),
                           "what stands before is read; fetch the file again for the rest");
        }
        if (logs_ == 0) {
            return failure("no audit logs in this archive");
        }
        return binary_ ? std::optional(binary_failure()) : std::nullopt;
    }

    // The ids with which the archive's logs begin, in its order; nothing when they need not or can't be sorted.
    std::vector<audit::EventId> scan() const {
        std::vector<audit::EventId> firsts;
        bool sortable = true;
        FileSource file(input_.path);
        const auto error = visit_logs(file, [&](const Member& member, ByteSource& content) {
            sortable = !member.alone && firsts.size() < most_sorted_members;
            if (const auto first = first_record(content.peek(member_check_size)); first && sortable) {
                firsts.push_back(*first);
            }
            return sortable;
        });
        const bool sorted = std::is_sorted(firsts.begin(), firsts.end());
        return sortable && !sorted && error.empty() ? firsts : std::vector<audit::EventId>{};
    }

    std::optional<InputFailure> read_archive() {
        const auto firsts = scan();
        std::vector<std::size_t> order(firsts.size());
        std::iota(order.begin(), order.end(), 0U);
        std::stable_sort(order.begin(), order.end(),
                         [&](auto left, auto right) { return firsts[left] < firsts[right]; });
        if (order.empty()) {
            FileSource file(input_.path, position());
            return read_stream(file);
        }
        while (logs_ < order.size()) {
            const auto before = logs_;
            FileSource file(input_.path, position());
            const auto error = read_pass(file, order);
            if (!error.empty() || logs_ == before) { // the archive changed under our hands
                return result(file, error.empty() ? "changed while it was read" : error);
            }
        }
        return std::nullopt;
    }

    // Reads those logs whose turn comes in the archive's order.
    std::string read_pass(FileSource& file, const std::vector<std::size_t>& order) {
        std::size_t at = 0;
        return visit_logs(file, [&](const Member& member, ByteSource& content) {
            if (is_audit_log(member, content) && at++ == order[logs_]) {
                feed(content);
                parser_.finish();
                ++logs_;
            }
            return logs_ < order.size();
        });
    }

    const Input& input_;
    Parser& parser_;
    const Progress& progress_;
    std::uint64_t reported_ = 0;
    std::size_t logs_ = 0; // of an archive, fed
    bool binary_ = false;
};

} // namespace

std::optional<InputFailure> read_input(const Input& input, Parser& parser, const Progress& progress) {
    return Reading(input, parser, progress).run();
}

} // namespace luatrail::source
