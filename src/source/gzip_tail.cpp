#include "source/gzip_tail.hpp"

#include <algorithm>
#include <array>

#include <zlib.h>

#include "source/archive.hpp"
#include "source/byte_source.hpp"

namespace luatrail::source {
namespace {

constexpr int any_gzip_window = 15 + 16; // zlib.h, inflateInit2: the largest window, a gzip header

class Inflater {
  public:
    Inflater() { good_ = inflateInit2(&stream_, any_gzip_window) == Z_OK; }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    // Passes on what `packed` holds; false when nothing more can be had.
    bool feed(std::string_view packed, const std::function<void(std::string_view)>& use) {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
        stream_.avail_in = static_cast<uInt>(packed.size());
        while (good_) {
            std::array<char, 64UL * 1024> plain;
            stream_.next_out = reinterpret_cast<Bytef*>(plain.data());
            stream_.avail_out = static_cast<uInt>(plain.size());
            const int result = inflate(&stream_, Z_NO_FLUSH);
            const auto got = plain.size() - stream_.avail_out;
            if (got > 0) {
                use({plain.data(), got});
            }
            if (result == Z_STREAM_END) { // another member may follow
                good_ = inflateReset(&stream_) == Z_OK;
            } else if (result == Z_BUF_ERROR || (result == Z_OK && stream_.avail_in == 0 && got < plain.size())) {
                return true;
            } else {
                good_ = result == Z_OK;
            }
        }
        return false;
    }

  private:
    z_stream stream_{};
    bool good_ = false;
};

} // namespace

void visit_gzip_tail(const std::string& path, std::uint64_t skip, const std::function<void(std::string_view)>& use) {
    FileSource file(path);
    if (!file.peek(2).starts_with("\x1f\x8b")) {
        return;
    }
    Inflater inflater;
    bool first = true;
    bool text = true;
    const auto pass_on = [&](std::string_view plain) {
        text = text && !(first && looks_packed(plain)); // an archive: its bytes are no text
        first = false;
        const auto skipped = std::min<std::uint64_t>(skip, plain.size());
        skip -= skipped;
        if (text && skipped < plain.size()) {
            use(plain.substr(skipped));
        }
    };
    for (auto block = file.next(); !block.empty() && text && inflater.feed(block, pass_on); block = file.next()) {
    }
}

} // namespace luatrail::source
