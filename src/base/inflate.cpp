#include "luatrail/base/inflate.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <zlib.h>

namespace luatrail::base {

struct Inflater::Stream {
    Stream() {
        constexpr int any_gzip_window = 15 + 16; // zlib.h, inflateInit2: the largest window, a gzip header
        good = inflateInit2(&z, any_gzip_window) == Z_OK;
    }
    ~Stream() { inflateEnd(&z); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    z_stream z{};
    bool good = false;
};

Inflater::Inflater() : stream_(std::make_unique<Stream>()) {}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

bool Inflater::feed(std::string_view packed, const Use& use) {
    auto& z = stream_->z;
    std::array<char, 64UL * 1024> plain;
    while (stream_->good) {
        if (z.avail_in == 0) { // uInt is narrower than a size
            const auto piece = packed.substr(0, std::numeric_limits<uInt>::max());
            z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data())); // zlib's old interface
            z.avail_in = static_cast<uInt>(piece.size());
            packed.remove_prefix(piece.size());
        }
        z.next_out = reinterpret_cast<Bytef*>(plain.data());
        z.avail_out = static_cast<uInt>(plain.size());
        const int result = inflate(&z, Z_NO_FLUSH);
        const auto got = plain.size() - z.avail_out;
        const bool wanted = got == 0 || use({plain.data(), got});
        if (wanted && result == Z_STREAM_END) { // another member may follow
            stream_->good = inflateReset(&z) == Z_OK;
            continue;
        }
        stream_->good = wanted && (result == Z_OK || result == Z_BUF_ERROR);
        if (stream_->good && z.avail_in == 0 && packed.empty() && got < plain.size()) {
            return true;
        }
    }
    return false;
}

std::string inflated(std::string_view packed, std::size_t most) {
    std::string out;
    Inflater().feed(packed, [&](std::string_view plain) {
        out.append(plain.substr(0, most - out.size()));
        return out.size() < most;
    });
    return out;
}

} // namespace luatrail::base
