#include "luatrail/detect/finding.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "luatrail/base/text.hpp"

namespace luatrail::detect {
namespace {

using namespace std::string_view_literals;

// In the order of the enumerators.
constexpr std::array severities{"info"sv, "low"sv, "medium"sv, "high"sv, "critical"sv};
constexpr std::array origins{"script"sv,      "inline"sv,     "stdin"sv,    "interactive"sv, "module"sv,
                             "environment"sv, "descriptor"sv, "embedded"sv, "library"sv,     "unknown"sv};
constexpr std::array identifications{"path"sv,  "package"sv, "inode"sv,   "copy"sv,
                                     "argv0"sv, "loader"sv,  "content"sv, "library"sv};
constexpr std::array hows{"create"sv, "write"sv, "rename"sv, "link"sv, "symlink"sv, "chmod"sv, "unpack"sv, "mount"sv};
constexpr std::array verdicts{"expected"sv, "unknown"sv, "unexpected"sv};
constexpr std::array degradations{"lost-records"sv,      "partial-event"sv,       "truncated-argv"sv,
                                  "no-lineage"sv,        "no-baseline"sv,         "path-uncertain"sv,
                                  "evicted"sv,           "input-unknown"sv,       "other-file"sv,
                                  "package-unchecked"sv, "unwatched-directory"sv, "identity-uncertain"sv,
                                  "no-process"sv};

// A table that is shorter than its enumeration does not compile.
static_assert(severities.size() == static_cast<std::size_t>(Severity::critical) + 1);
static_assert(origins.size() == static_cast<std::size_t>(Origin::unknown) + 1);
static_assert(identifications.size() == static_cast<std::size_t>(IdentifiedBy::library) + 1);
static_assert(hows.size() == static_cast<std::size_t>(How::mount) + 1);
static_assert(verdicts.size() == static_cast<std::size_t>(Verdict::unexpected) + 1);
static_assert(degradations.size() == static_cast<std::size_t>(Degraded::no_process) + 1);

} // namespace

template <>
std::span<const std::string_view> names<Severity>() {
    return severities;
}
template <>
std::span<const std::string_view> names<Origin>() {
    return origins;
}
template <>
std::span<const std::string_view> names<IdentifiedBy>() {
    return identifications;
}
template <>
std::span<const std::string_view> names<How>() {
    return hows;
}
template <>
std::span<const std::string_view> names<Verdict>() {
    return verdicts;
}
template <>
std::span<const std::string_view> names<Degraded>() {
    return degradations;
}

std::string_view to_string(Severity value) {
    return severities.at(static_cast<std::size_t>(value));
}
std::string_view to_string(Origin value) {
    return origins.at(static_cast<std::size_t>(value));
}
std::string_view to_string(IdentifiedBy value) {
    return identifications.at(static_cast<std::size_t>(value));
}
std::string_view to_string(How value) {
    return hows.at(static_cast<std::size_t>(value));
}
std::string_view to_string(Verdict value) {
    return verdicts.at(static_cast<std::size_t>(value));
}
std::string_view to_string(Degraded value) {
    return degradations.at(static_cast<std::size_t>(value));
}

bool Finding::has(ChainKind kind) const {
    return std::any_of(chain.begin(), chain.end(), [kind](const ChainEntry& entry) { return entry.kind == kind; });
}

bool Finding::is_test() const {
    const std::string_view path = code.path ? std::string_view(*code.path) : "";
    const auto directory = base::basename(path.substr(0, std::min(path.rfind('/'), path.size())));
    return directory.starts_with(test_directory) && process.uid == 0U &&
           std::any_of(chain.begin(), chain.end(), [this](const ChainEntry& entry) {
               return entry.kind == ChainKind::script_drop && entry.by && entry.by->exe && entry.by->uid == 0U &&
                      base::basename(*entry.by->exe) == "luatrail" && entry.by->pid == process.ppid;
           });
}

std::optional<Severity> severity_from(std::string_view name) {
    const auto* const found = std::find(severities.begin(), severities.end(), name);
    if (found == severities.end()) {
        return std::nullopt;
    }
    return static_cast<Severity>(found - severities.begin());
}

} // namespace luatrail::detect
