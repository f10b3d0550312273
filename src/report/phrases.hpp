// Parts of sentences, made of a finding's facts: safe to show, whatever the log holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "luatrail/detect/finding.hpp"
#include "report/chain_words.hpp"

namespace luatrail::report {

std::string program_name(const std::optional<std::string>& exe); // "bash", "an unknown program"
std::string way_in(const detect::WayIn& way);                    // "nginx (web-server)", raw bytes

// The rows' clauses with the entry's facts in their places.
std::string title_clause(const detect::ChainEntry& entry);
std::string reason_sentence(const detect::ChainEntry& entry);
// "bash dropped 4 ms earlier in /dev/shm/.cache"
std::string drop_phrase(const detect::ChainEntry& drop);

} // namespace luatrail::report
