// Where bytes come from, and how far the reading has come.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace luatrail::source {

// Blocks of bytes, one after the other. A block lives until the next call.
class ByteSource {
  public:
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    // The next block; empty at the end and after an error.
    std::string_view next();

    // At least `wanted` bytes of what next() will yield, fewer at the end only. Waits for no more than those. To be
    // called before next().
    std::string_view peek(std::size_t wanted);

    // One line without the path: "Input/output error at byte 4096". Empty when there was none.
    virtual std::string error() const = 0;

  protected:
    virtual std::string_view read() = 0;

  private:
    std::string_view ahead_; // read by peek(), not yet yielded
    std::string gathered_;
};

// A file, a pipe or a device, read with read(2) into a buffer: a mapping would turn another process's truncation into
// SIGBUS.
class FileSource final : public ByteSource {
  public:
    // Called with the number of bytes read so far.
    using Position = std::function<void(std::uint64_t)>;

    // "-" is standard input. error() says whether it could be opened.
    explicit FileSource(const std::string& path, Position position = {});
    // `size` bytes of a plain file from `at` on.
    FileSource(const std::string& path, std::uint64_t at, std::uint64_t size, Position position);
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;
    ~FileSource() override;

    std::string error() const override;
    std::uint64_t position() const { return position_; }
    int error_number() const { return error_number_; } // errno's value; 0 when there was no error

  protected:
    std::string_view read() override;

  private:
    bool is_stdin_;
    int descriptor_;
    Position report_;
    std::vector<char> buffer_;
    std::uint64_t position_ = 0;
    std::uint64_t left_ = UINT64_MAX;
    int error_number_ = 0;
};

} // namespace luatrail::source
