// What gzip has packed (RFC 1952), also of a file that was cut: whatever came out before the damage.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace luatrail::base {

class Inflater {
  public:
    using Use = std::function<bool(std::string_view plain)>; // false: it wants no more

    Inflater();
    ~Inflater();
    Inflater(Inflater&&) noexcept;
    Inflater& operator=(Inflater&&) noexcept;

    // Hands on what the next packed bytes hold, members one after the other as one text. False when nothing more can
    // be had, or `use` wants no more.
    bool feed(std::string_view packed, const Use& use);

  private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

// At most so many bytes: what a few bytes can become must not fill the memory.
std::string inflated(std::string_view packed, std::size_t most);

} // namespace luatrail::base
