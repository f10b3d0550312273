#include "luatrail/base/inflate.hpp"

#include <zlib.h>

#include "support/catch.hpp"

using namespace luatrail::base;

namespace {

std::string gzipped(std::string_view plain) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed(deflateBound(&stream, plain.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

std::string numbers() {
    std::string text;
    for (int number = 0; number < 50'000; ++number) {
        text += std::to_string(number) + '\n';
    }
    return text;
}

constexpr std::size_t plenty = 1UL << 30U;

} // namespace

TEST_CASE("what was packed comes out, also of several members") {
    const auto text = numbers();
    CHECK(inflated(gzipped(text), plenty) == text);
    CHECK(inflated(gzipped("a") + gzipped("") + gzipped("b"), plenty) == "ab");
    CHECK(inflated(gzipped(""), plenty).empty());
}

TEST_CASE("no more comes out than is asked for") {
    const auto packed = gzipped(std::string(10'000'000, 'x')); // 10 kB
    for (const std::size_t most : {0UL, 1UL, 65'536UL, 65'537UL, 9'999'999UL, 10'000'000UL}) {
        CHECK(inflated(packed, most) == std::string(most, 'x'));
    }
}

TEST_CASE("of damaged bytes comes out what stands before the damage") {
    const auto text = numbers();
    const auto packed = gzipped(text);
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, packed.size() / 2, packed.size() - 1}) {
        CHECK(text.starts_with(inflated(std::string_view(packed).substr(0, size), plenty)));
    }
    CHECK_FALSE(inflated(std::string_view(packed).substr(0, packed.size() / 2), plenty).empty());
    CHECK(inflated(packed + "no gzip", plenty) == text);
    CHECK(inflated("no gzip at all", plenty).empty());
}

TEST_CASE("the pieces in which packed bytes come do not matter") {
    const std::string text = "some text, some more text";
    const auto packed = gzipped(text) + gzipped(text);
    for (std::size_t size = 1; size <= packed.size(); ++size) {
        std::string out;
        Inflater inflater;
        for (std::size_t at = 0; at < packed.size(); at += size) {
            CHECK(inflater.feed(std::string_view(packed).substr(at, size), [&](std::string_view plain) {
                out += plain;
                return true;
            }));
        }
        CHECK(out == text + text);
    }
}

TEST_CASE("who wants no more gets no more") {
    int calls = 0;
    Inflater inflater;
    const auto packed = gzipped(numbers());
    const auto once = [&calls](std::string_view) { return ++calls < 1; };
    CHECK_FALSE(inflater.feed(packed, once));
    CHECK_FALSE(inflater.feed(packed, once));
    CHECK(calls == 1);
}
