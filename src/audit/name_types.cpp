#include "audit/name_types.hpp"

#include <algorithm>
#include <initializer_list>

#include "luatrail/audit/syscalls.hpp"

namespace luatrail::audit {
namespace {

using NameType = PathItem::NameType;
using Types = std::initializer_list<NameType>;

// One more item than named is another file that had the name before (rename over a file): it is gone.
void set_types(std::vector<PathItem>& items, Types types, NameType more) {
    auto next = types.begin();
    for (auto& item : items) {
        item.nametype = next != types.end() ? *next++ : more;
    }
}

bool may_create(const TypedEvent& event, const SystemCall& row) {
    constexpr std::uint64_t create = 0100; // O_CREAT, but on a few processors that have no such old kernels
    if (row.marks.writes) {                // creat(2)
        return true;
    }
    const auto flags = row.arguments.flags >= 0 ? event.syscall.a[row.arguments.flags] : event.open_flags.value_or(0);
    return (flags & create) != 0;
}

} // namespace

void infer_name_types(TypedEvent& event) {
    auto& items = event.paths;
    const bool typed =
        std::any_of(items.begin(), items.end(), [](const PathItem& item) { return !item.nametype_text.empty(); });
    if (typed || items.empty() || !event.has_syscall) {
        return;
    }
    constexpr auto parent = NameType::parent, created = NameType::create, removed = NameType::remove,
                   normal = NameType::normal;
    const auto& row = system_call(event.syscall.call);
    switch (row.effect) {
    case Effect::open:
        if (items.size() > 1 && may_create(event, row)) {
            set_types(items, {parent, created}, NameType::unknown);
        } else {
            set_types(items, {normal}, NameType::unknown);
        }
        break;
    case Effect::mkdir:
    case Effect::mknod:
    case Effect::symlink:
        set_types(items, {parent, created}, NameType::unknown);
        break;
    case Effect::unlink:
        set_types(items, {parent, removed}, NameType::unknown);
        break;
    case Effect::link:
        set_types(items, {normal, parent, created}, NameType::unknown);
        break;
    case Effect::rename:
        if (items.size() > 4) { // what had the new name stands before it
            set_types(items, {parent, parent, removed, removed, created}, NameType::unknown);
        } else {
            set_types(items, {parent, parent, removed, created}, NameType::unknown);
        }
        break;
    default:
        set_types(items, {normal}, normal);
        break;
    }
}

} // namespace luatrail::audit
