#include "report/phrases.hpp"

#include <fmt/format.h>

#include "luatrail/base/kernel_path.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"

namespace luatrail::report {
namespace {

using base::printable;
using detect::ChainEntry;

std::string actor_of(const ChainEntry& entry) {
    if (!entry.by) {
        return "an unknown process";
    }
    const auto& by = *entry.by;
    std::string more = by.uid ? fmt::format(", uid {}", *by.uid) : std::string();
    if (by.below) {
        more += ", below " + printable(way_in(*by.below));
    }
    if (by.login && by.login->address) {
        more += ", logged in from " + printable(*by.login->address);
    }
    return fmt::format("{} (pid {}{})", program_name(by.exe), by.pid, more);
}

std::string age_of(const ChainEntry& entry) {
    return base::duration_text(entry.age_ms.value_or(0));
}

std::string directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        return ".";
    }
    return slash == 0 ? "/" : printable(path.substr(0, slash));
}

const HowWords& how_of(const ChainEntry& entry) {
    return words_of(entry.how.value_or(detect::How::create));
}

} // namespace

std::string program_name(const std::optional<std::string>& exe) {
    if (!exe) {
        return "an unknown program";
    }
    return printable(base::without_deleted(base::basename(*exe)));
}

std::string way_in(const detect::WayIn& way) {
    return fmt::format("{} ({})", way.program, way.kind);
}

std::string drop_phrase(const ChainEntry& drop) {
    return fmt::format("{} {} {} earlier in {}", drop.by ? program_name(drop.by->exe) : "something", how_of(drop).title,
                       age_of(drop), directory_of(drop.path.value_or("")));
}

std::string title_clause(const ChainEntry& entry) {
    const auto& words = words_of(entry.kind);
    return fmt::format(fmt::runtime(words.title), fmt::arg("drop", drop_phrase(entry)),
                       fmt::arg("path", entry.path ? printable(*entry.path) : std::string(words.some_path)),
                       fmt::arg("program", program_name(entry.path)));
}

std::string reason_sentence(const ChainEntry& entry) {
    const auto& words = words_of(entry.kind);
    auto sentence = words.reason;
    if (!entry.path && !words.without_path.empty()) {
        sentence = words.without_path;
    } else if (!entry.by && !words.without_by.empty()) {
        sentence = words.without_by;
    }
    const auto path = entry.path ? printable(*entry.path) : "a file without a known name";
    return fmt::format(fmt::runtime(sentence), fmt::arg("by", actor_of(entry)), fmt::arg("path", path),
                       fmt::arg("age", age_of(entry)),
                       fmt::arg("did", fmt::format(fmt::runtime(how_of(entry).reason), fmt::arg("path", path))),
                       fmt::arg("tree", entry.same_tree.value_or(false) ? ", in the same process tree" : ""));
}

} // namespace luatrail::report
