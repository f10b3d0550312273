// The PATH items of a change of files, by what they say.
#pragma once

#include <algorithm>
#include <vector>

#include "luatrail/host/file_event.hpp"

namespace luatrail::host {

using Items = std::vector<const audit::PathItem*>;

inline const audit::PathItem* with_id(const Items& items, FileId id) {
    const auto found =
        std::find_if(items.begin(), items.end(), [&](const audit::PathItem* item) { return file_id_of(*item) == id; });
    return found == items.end() ? nullptr : *found;
}

// The items of one event by what they say, each kind in the order of the log.
struct Roles {
    Items parents, created, removed, normal, unknown;

    explicit Roles(const FileEvent& event) {
        for (const audit::PathItem& item : event.typed->paths) {
            switch (item.nametype) {
            case audit::PathItem::NameType::parent:
                parents.push_back(&item);
                break;
            case audit::PathItem::NameType::create:
                created.push_back(&item);
                break;
            case audit::PathItem::NameType::remove:
                removed.push_back(&item);
                break;
            case audit::PathItem::NameType::normal:
                normal.push_back(&item);
                break;
            case audit::PathItem::NameType::unknown:
                unknown.push_back(&item);
                break;
            }
        }
    }
};

} // namespace luatrail::host
