// How the doctor prints what it found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "luatrail/rules/host_checks.hpp"

namespace luatrail::cli {

// "good", "warning", "fault".
std::string_view name_of(rules::Health health);

// id, state, text and remedy.
nlohmann::ordered_json check_value(const rules::Check& check);

// On standard output: a state, what it is the state of, and below it why and the remedy.
class CheckTable {
  public:
    CheckTable();
    void line(std::string_view state, std::string_view what, const std::vector<std::string>& below,
              std::string_view remedy) const;
    void line(const rules::Check& check) const;

  private:
    void wrapped(std::size_t used, std::string_view text) const;

    bool colour_;
    std::size_t width_;
};

} // namespace luatrail::cli
