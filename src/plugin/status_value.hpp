// A status that was written earlier, perhaps by another version of luatrail: what its JSON holds, by JSON pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace luatrail::plugin {

inline constexpr const char* status_schema = "luatrail/status/1";

class StatusValue {
  public:
    // Throws base::Error when it is no status of luatrail.
    explicit StatusValue(std::string_view json);
    ~StatusValue();
    StatusValue(const StatusValue&) = delete;
    StatusValue& operator=(const StatusValue&) = delete;

    bool has(const std::string& pointer) const; // and it is not null
    // What a newer or older version has not is 0, or empty; texts are made safe to show.
    std::uint64_t number(const std::string& pointer) const;
    std::string text(const std::string& pointer) const;
    std::int64_t time_ms(const std::string& pointer) const; // since 1970
    // Throws base::Error when it is not there.
    bool flag(const std::string& pointer) const;
    // The numbers of an object, in its order.
    std::vector<std::pair<std::string, std::uint64_t>> counts(const std::string& pointer) const;
    // The lag's buckets: upper bound in milliseconds, events up to it.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::plugin
