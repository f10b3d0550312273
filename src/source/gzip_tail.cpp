#include "gzip_tail.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "archive.hpp"
#include "byte_source.hpp"

namespace luatrail::source {
namespace {

using namespace std::string_view_literals;

// Names and comments in a gzip header have no limit of their own; real ones are short.
constexpr std::size_t header_search = 64UL * 1024;

// APPNOTE 4.3.7: version 2.0, "sizes follow the data", deflate, no time, sizes or checksum, a name of nine bytes.
constexpr auto zip_header = "PK\x03\x04\x14\0\x08\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0audit.log"sv;
static_assert(zip_header.size() == 30 + 9);

// RFC 1952, 2.3: the length of a gzip member's header.
std::optional<std::size_t> gzip_header_size(std::string_view start) {
    constexpr std::size_t fixed = 10;
    if (!start.starts_with("\x1f\x8b\x08") || start.size() < fixed + 2) {
        return std::nullopt;
    }
    enum : unsigned char { header_checksum = 2, extra = 4, name = 8, comment = 16 };
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(start[at]); };
    const auto flags = byte(3);
    std::size_t size = fixed;
    if ((flags & extra) != 0) {
        size += 2U + byte(fixed) + 256U * byte(fixed + 1);
    }
    for (const auto text : {name, comment}) {
        if ((flags & text) != 0) {
            const auto end = start.find('\0', size);
            if (end == std::string_view::npos) {
                return std::nullopt;
            }
            size = end + 1;
        }
    }
    size += (flags & header_checksum) != 0 ? 2 : 0;
    return size < start.size() ? std::optional(size) : std::nullopt;
}

// Where the deflate stream is whole and only gzip's trailer (8 bytes) is cut, the zip reader looks for a trailer of its
// own, and fails with its last block in hand. Without its last bytes the stream is never whole; they hold about one
// record.
constexpr std::uintmax_t left_out = 9;

class GzipAsZip final : public ByteSource {
  public:
    GzipAsZip(ByteSource& gzip, std::size_t header_size, std::uintmax_t deflated)
        : gzip_(gzip), header_left_(header_size), left_(deflated) {}
    std::string error() const override { return gzip_.error(); }

  protected:
    std::string_view read() override {
        if (!begun_) {
            begun_ = true;
            return zip_header;
        }
        auto block = gzip_.next();
        block.remove_prefix(std::exchange(header_left_, 0)); // lies whole in the first block, which was peeked at
        block = block.substr(0, left_);
        left_ -= block.size();
        return block;
    }

  private:
    ByteSource& gzip_;
    std::size_t header_left_;
    std::uintmax_t left_;
    bool begun_ = false;
};

} // namespace

void visit_gzip_tail(const std::string& path, std::uint64_t skip, const std::function<void(std::string_view)>& use) {
    FileSource file(path);
    const auto header = gzip_header_size(file.peek(header_search));
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (!header || error || size <= *header + left_out) {
        return;
    }
    GzipAsZip zip(file, *header, size - *header - left_out);
    visit_logs(zip, [&](const Member& /*member*/, ByteSource& content) {
        if (looks_packed(content.peek(packed_mark_size))) {
            return false; // an archive: its bytes are no text
        }
        for (auto block = content.next(); !block.empty(); block = content.next()) {
            const auto skipped = std::min<std::uint64_t>(skip, block.size());
            skip -= skipped;
            use(block.substr(skipped));
        }
        return false;
    });
}

} // namespace luatrail::source
