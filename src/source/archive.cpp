#include "source/archive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <archive.h>
#include <archive_entry.h>

#include "source/log_names.hpp"

namespace luatrail::source {
namespace {

using namespace std::string_view_literals;

struct Close {
    void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Close>;

// Not archive_read_support_filter_all: it would start helper programs (lrzip, grzip) for what a hostile file claims to
// be.
Reader make_reader() {
    Reader reader(archive_read_new());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_bzip2(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_lzma(reader.get());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_filter_lz4(reader.get());
    archive_read_support_filter_compress(reader.get());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_cpio(reader.get());
    archive_read_support_format_zip_streamable(reader.get());
    archive_read_support_format_empty(reader.get());
    archive_read_support_format_raw(reader.get());
    return reader;
}

la_ssize_t read_block(archive* reader, void* source, const void** block) {
    auto& bytes = *static_cast<ByteSource*>(source);
    const auto next = bytes.next();
    if (next.empty() && !bytes.error().empty()) {
        archive_set_error(reader, EIO, "%s", bytes.error().c_str());
        return ARCHIVE_FATAL;
    }
    *block = next.data();
    return static_cast<la_ssize_t>(next.size());
}

std::string error_of(archive* reader) {
    const char* text = archive_error_string(reader);
    return text == nullptr ? "damaged data" : text;
}

// The content of the member whose header was read last.
class MemberSource final : public ByteSource {
  public:
    explicit MemberSource(archive* reader) : reader_(reader) {}
    std::string error() const override { return error_; }

  protected:
    std::string_view read() override {
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        int result = ARCHIVE_OK;
        do { // an empty block is not the end
            result = ended_ ? ARCHIVE_EOF : archive_read_data_block(reader_, &block, &size, &offset);
        } while (result == ARCHIVE_OK && size == 0);
        ended_ = result != ARCHIVE_OK && result != ARCHIVE_WARN;
        if (result == ARCHIVE_EOF || (ended_ && !error_.empty())) {
            return {};
        }
        if (ended_) {
            error_ = error_of(reader_);
            return {};
        }
        return {static_cast<const char*>(block), size};
    }

  private:
    archive* reader_;
    std::string error_;
    bool ended_ = false;
};

std::string visit_packed(ByteSource& packed, const MemberVisitor& visit, const Member* around);

// Returns an error's text; sets `more` to whether the visitor wants more.
std::string visit_member(archive* reader, const Member& member, const MemberVisitor& visit, bool& more) {
    MemberSource content(reader);
    if (!member.alone && looks_packed(content.peek(packed_mark_size))) {
        const MemberVisitor inner = [&](const Member&, ByteSource& unpacked) { return more = visit(member, unpacked); };
        return visit_packed(content, inner, &member);
    }
    more = visit(member, content);
    return content.error();
}

// `around` is the member that is being unpacked; archives inside of archives are not opened.
std::string visit_packed(ByteSource& packed, const MemberVisitor& visit, const Member* around) {
    const auto reader = make_reader();
    if (archive_read_open(reader.get(), &packed, nullptr, read_block, nullptr) != ARCHIVE_OK) {
        return error_of(reader.get());
    }
    bool more = true;
    while (more) {
        archive_entry* entry = nullptr;
        const int result = archive_read_next_header(reader.get(), &entry);
        if (result == ARCHIVE_EOF) {
            return {};
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            return error_of(reader.get());
        }
        const bool alone = archive_format(reader.get()) == ARCHIVE_FORMAT_RAW;
        if (!alone && around != nullptr) {
            return "an archive inside of an archive is not read";
        }
        const char* path = archive_entry_pathname(entry);
        Member member{alone || path == nullptr ? "" : path, alone};
        const auto base = std::string_view(member.name).substr(member.name.rfind('/') + 1);
        if (alone || (archive_entry_filetype(entry) == AE_IFREG && is_log_name(base))) {
            if (auto error = visit_member(reader.get(), member, visit, more); !error.empty()) {
                return member.name.empty() ? error : member.name + ": " + error;
            }
        }
    }
    return {};
}

} // namespace

bool looks_packed(std::string_view start) {
    static constexpr std::array marks{"\x1f\x8b"sv,
                                      "\x1f\x9d"sv,
                                      "\xfd"
                                      "7zXZ\0"sv,
                                      "\x28\xb5\x2f\xfd"sv,
                                      "\x5d\0\0"sv,
                                      "BZh"sv,
                                      "PK\x03\x04"sv,
                                      "070701"sv,
                                      "070702"sv,
                                      "070707"sv,
                                      "\x04\x22\x4d\x18"sv};
    constexpr std::size_t tar_mark_at = 257;
    return std::any_of(marks.begin(), marks.end(), [&](auto mark) { return start.starts_with(mark); }) ||
           (start.size() > tar_mark_at && start.substr(tar_mark_at).starts_with("ustar"));
}

std::string visit_logs(ByteSource& packed, const MemberVisitor& visit) {
    return visit_packed(packed, visit, nullptr);
}

} // namespace luatrail::source
