// Lines out of chunks of bytes. Shared by both parsers, so that they agree on what a line is.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "luatrail/source/parser.hpp"

namespace luatrail::source {

// A line that lies whole inside of a chunk is handed on where it lies; one that crosses chunks is put together in a
// buffer. The receiver has `void line(std::string_view)` (without newline) and `void too_long(std::string_view start)`.
template <class Receiver>
class LineSplitter {
  public:
    explicit LineSplitter(Receiver& receiver) : receiver_(receiver) {}

    void feed(std::string_view chunk) {
        if (skipping_ || !carry_.empty()) {
            chunk = finish_carried(chunk);
        }
        while (!chunk.empty()) {
            const auto* newline = static_cast<const char*>(std::memchr(chunk.data(), '\n', chunk.size()));
            if (newline == nullptr) {
                carry(chunk);
                return;
            }
            const auto size = static_cast<std::size_t>(newline - chunk.data());
            emit(chunk.substr(0, size));
            chunk.remove_prefix(size + 1);
        }
    }

    // The end of the input ends the last line.
    void finish() {
        if (!skipping_ && !carry_.empty()) {
            emit(carry_);
        }
        carry_.clear();
        skipping_ = false;
    }

  private:
    // Shown of a line that is too long; the same for every chunking.
    static constexpr std::size_t shown = 1024;

    void emit(std::string_view line) {
        if (line.size() > max_line) {
            receiver_.too_long(line.substr(0, shown));
        } else {
            receiver_.line(line);
        }
    }

    // Returns what follows the line that the earlier chunks began.
    std::string_view finish_carried(std::string_view chunk) {
        const auto newline = chunk.find('\n');
        if (!skipping_) {
            carry(chunk.substr(0, newline));
        }
        if (newline == std::string_view::npos) {
            return {};
        }
        if (!skipping_) {
            receiver_.line(carry_);
        }
        carry_.clear();
        skipping_ = false;
        return chunk.substr(newline + 1);
    }

    void carry(std::string_view piece) {
        const auto room = max_line - carry_.size();
        carry_.append(piece.substr(0, room));
        if (piece.size() > room) {
            receiver_.too_long(std::string_view(carry_).substr(0, shown));
            carry_.clear();
            skipping_ = true;
        }
    }

    Receiver& receiver_;
    std::string carry_;
    bool skipping_ = false; // inside of a line that was too long
};

} // namespace luatrail::source
