// Making a finding smaller, field by field.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::report {

struct Shortened {
    detect::Finding finding;
    std::vector<std::string> keys; // of the schema, each once: "ancestors.argv", "code.inline", "chain"
};

// Shortens until `fits` says so, or until nothing is left to shorten.
Shortened shorten_until(const detect::Finding& whole, const std::function<bool(const Shortened&)>& fits);

} // namespace luatrail::report
