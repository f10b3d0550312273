// Values to bytes and back, for state that outlives the process: Packer and Unpacker take the same calls, so that one
// function names the fields of a struct for both:
//
//     template <class Archive> void transfer(Archive& archive, Change& change) { archive(change.kind, change.event,
//     ...); }
//
// Numbers are variable-length (LEB128, signed ones zigzag), texts and containers carry their size. The bytes are for
// the same version of the program only; a file of them holds a version beside them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace luatrail::base {

// What is read is not what was written.
class UnpackError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class Packer {
  public:
    static constexpr bool reading = false;

    template <class... Values>
    void operator()(const Values&... values) {
        (put(values), ...);
    }
    void number(std::uint64_t value) {
        while (value >= 0x80) {
            out_ += static_cast<char>((value & 0x7fU) | 0x80U);
            value >>= 7U;
        }
        out_ += static_cast<char>(value);
    }
    std::string take() { return std::move(out_); }

  private:
    template <class Value>
    void put(const Value& value) {
        if constexpr (std::is_enum_v<Value>) {
            number(static_cast<std::uint64_t>(value));
        } else if constexpr (std::signed_integral<Value>) {
            const auto wide = static_cast<std::int64_t>(value);
            number((static_cast<std::uint64_t>(wide) << 1U) ^ static_cast<std::uint64_t>(wide >> 63));
        } else if constexpr (std::unsigned_integral<Value>) {
            number(value);
        } else {
            transfer(*this, const_cast<Value&>(value)); // reads only: it is shared with Unpacker
        }
    }
    void put(const std::string& text) {
        number(text.size());
        out_ += text;
    }
    template <class Value>
    void put(const std::optional<Value>& value) {
        number(value ? 1 : 0);
        if (value) {
            put(*value);
        }
    }
    template <class Value>
    void put(const std::vector<Value>& values) {
        put_all(values);
    }
    template <class Value>
    void put(const std::deque<Value>& values) {
        put_all(values);
    }
    template <class Value, std::size_t size>
    void put(const std::array<Value, size>& values) {
        for (const auto& value : values) {
            put(value);
        }
    }
    template <class Container>
    void put_all(const Container& values) {
        number(values.size());
        for (const auto& value : values) {
            put(value);
        }
    }

    std::string out_;
};

// Every call throws UnpackError where the bytes end early or a size is larger than they can hold.
class Unpacker {
  public:
    static constexpr bool reading = true;

    explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

    template <class... Values>
    void operator()(Values&... values) {
        (get(values), ...);
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) {
                throw UnpackError("it ends early");
            }
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
            if (byte < 0x80) {
                return value;
            }
        }
        throw UnpackError("a number is too long");
    }
    // Of things that take a byte at least.
    std::size_t size() {
        const auto count = number();
        if (count > rest_.size()) {
            throw UnpackError("a size is larger than what follows");
        }
        return static_cast<std::size_t>(count);
    }
    bool at_end() const { return rest_.empty(); }

  private:
    template <class Value>
    void get(Value& value) {
        if constexpr (std::is_enum_v<Value> || std::unsigned_integral<Value>) {
            value = static_cast<Value>(number());
        } else if constexpr (std::signed_integral<Value>) {
            const auto bits = number();
            value = static_cast<Value>(static_cast<std::int64_t>((bits >> 1U) ^ (~(bits & 1U) + 1)));
        } else {
            transfer(*this, value);
        }
    }
    void get(std::string& text) {
        const auto count = size();
        text.assign(rest_.substr(0, count));
        rest_.remove_prefix(count);
    }
    template <class Value>
    void get(std::optional<Value>& value) {
        value.reset();
        if (number() != 0) {
            get(value.emplace());
        }
    }
    template <class Value>
    void get(std::vector<Value>& values) {
        get_all(values);
    }
    template <class Value>
    void get(std::deque<Value>& values) {
        get_all(values);
    }
    template <class Value, std::size_t count>
    void get(std::array<Value, count>& values) {
        for (auto& value : values) {
            get(value);
        }
    }
    template <class Container>
    void get_all(Container& values) {
        values.clear();
        for (auto left = size(); left > 0; --left) {
            get(values.emplace_back());
        }
    }

    std::string_view rest_;
};

} // namespace luatrail::base
