#include "detect/known_files.hpp"

#include <algorithm>
#include <map>

#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"

namespace luatrail::detect {
namespace {

constexpr std::uint64_t any_inode = 0; // no file has it

} // namespace

// Found by its arguments, so not in the unnamed namespace.
template <class Archive>
static void transfer(Archive& archive, KnownFile& known) {
    archive(known.id, known.last_ms, known.other, known.other_since_ms);
}

bool KnownFiles::is_other(std::string_view path, const host::FileId& id, std::int64_t now_ms,
                          std::int64_t patience_ms) {
    const auto found = all_.find(path);
    if (found == all_.end()) {
        keep(std::string(path), {.id = id, .last_ms = now_ms});
        return false;
    }
    auto& known = found->second;
    known.last_ms = std::max(known.last_ms, now_ms);
    if (known.id == host::FileId{id.dev, any_inode}) {
        known.id = id;
    }
    if (known.id == id) {
        known.other.reset();
        return false;
    }
    if (known.other != id) {
        known.other = id;
        known.other_since_ms = now_ms;
    } else if (now_ms - known.other_since_ms > patience_ms) {
        known.id = id;
        known.other.reset();
        return false;
    }
    return true;
}

void KnownFiles::changed(std::string_view path, std::uint64_t dev) {
    for (auto one = all_.begin(); one != all_.end();) {
        const auto here = one++;
        const auto& known = here->first;
        const bool at_or_below = known.starts_with(path) && (known.size() == path.size() || known[path.size()] == '/');
        if (at_or_below && here->second.id.dev == dev) {
            forget(here);
        }
    }
}

void KnownFiles::may_have_changed(const std::function<bool(std::string_view)>& replaced) {
    for (auto& [path, known] : all_) {
        if (replaced(path)) {
            known.id.inode = any_inode;
        }
    }
}

std::optional<host::FileId> KnownFiles::find(std::string_view path) const {
    const auto found = all_.find(path);
    return found == all_.end() ? std::nullopt : std::optional(found->second.id);
}

void KnownFiles::clear() {
    all_ = {};
    parts_.reset();
    text_bytes_ = 0;
    measure();
}

bool KnownFiles::give_way() {
    const auto oldest = std::min_element(
        all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.second.last_ms < b.second.last_ms; });
    if (oldest == all_.end()) {
        return false;
    }
    forget(oldest);
    return true;
}

void KnownFiles::keep(std::string path, KnownFile known) {
    if (all_.size() >= most) {
        give_way();
    }
    note_parts(path);
    text_bytes_ += base::heap_of(all_.emplace(std::move(path), known).first->first);
    measure();
}

void KnownFiles::forget(Table::iterator one) {
    text_bytes_ -= base::heap_of(one->first);
    all_.erase(one);
    measure();
}

void KnownFiles::note_parts(std::string_view path) {
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        parts_.set(bit_of(path.substr(0, end)));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
}

void KnownFiles::measure() {
    charge_.resize(text_bytes_ + all_.size() * base::hash_node<std::string, KnownFile>() + base::hash_buckets(all_));
}

void KnownFiles::save(base::Packer& out) const {
    const std::map<std::string, KnownFile> sorted(all_.begin(), all_.end()); // the same facts are the same bytes
    out.number(sorted.size());
    for (const auto& [path, known] : sorted) {
        out(path, known);
    }
}

void KnownFiles::load(base::Unpacker& in) {
    clear();
    for (auto left = in.size(); left > 0; --left) {
        std::string path;
        KnownFile known;
        in(path, known);
        if (!all_.contains(path)) {
            keep(std::move(path), known);
        }
    }
}

} // namespace luatrail::detect
