// Making a finding smaller, field by field.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/detect/finding.hpp"
#include "report/sentences.hpp"

namespace luatrail::report {

struct Shortened {
    detect::Finding finding;
    Sentences sentences;
    std::vector<std::string> keys; // of the schema, each once: "ancestors.argv", "code.inline", "chain"
};

// Those that can be: what a reader misses least stands first.
std::vector<std::string_view> shortened_keys();

// Shortens until `fits` says so, or until nothing is left to shorten.
Shortened shorten_until(const detect::Finding& finding, const Sentences& sentences,
                        const std::function<bool(const Shortened&)>& fits);

} // namespace luatrail::report
