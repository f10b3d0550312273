#include "source/log_names.hpp"

namespace luatrail::source {
namespace {

bool drop_ending(std::string_view& name, std::string_view ending) {
    if (!name.ends_with(ending)) {
        return false;
    }
    name.remove_suffix(ending.size());
    return true;
}

bool drop_compression(std::string_view& name) {
    for (const std::string_view ending : {".gz", ".xz", ".zst", ".bz2", ".lz4"}) {
        if (drop_ending(name, ending)) {
            return true;
        }
    }
    return false;
}

} // namespace

bool is_log_name(std::string_view name) {
    drop_compression(name);
    const auto last = name.find_last_not_of("0123456789");
    if (last == std::string_view::npos) {
        return false;
    }
    if (last + 1 < name.size() && (name[last] == '.' || name[last] == '-')) { // rotated: by number or by date
        name = name.substr(0, last);
    }
    return name.ends_with(".log");
}

bool is_archive_name(std::string_view name) {
    drop_compression(name);
    for (const std::string_view ending : {".tar", ".tgz", ".txz", ".tzst", ".tbz2", ".zip", ".cpio"}) {
        if (name.ends_with(ending)) {
            return true;
        }
    }
    return false;
}

} // namespace luatrail::source
