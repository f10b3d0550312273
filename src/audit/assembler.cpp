#include "luatrail/audit/assembler.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include <libaudit.h>

#include "audit/recent_keys.hpp"
#include "luatrail/audit/field.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"

namespace luatrail::audit {
namespace {

// Buffers are recycled, the larger ones apart, as many as take a part of the bound.
constexpr std::size_t pooled_event_bytes = 16UL * 1024;
constexpr std::size_t pool_part = 8;
constexpr std::size_t kept_view = 256; // records: a list of more is freed once its event was handed over

// One record inside of an event's own buffer, as offsets because the buffer grows.
struct Stored {
    RecordType type = 0;
    std::uint32_t start = 0; // of the type name; body and enriched half follow at once
    std::uint32_t name_size = 0, body_size = 0, enriched_size = 0;
};

struct Open {
    EventKey key;
    std::string node, bytes;
    std::vector<Stored> records;
    std::int64_t began_ms = 0;     // newest event time when its first record came
    std::int64_t began_tick = 0;   // caller's clock then
    std::uint64_t last_record = 0; // running number of its latest record
    std::size_t execve_bytes = 0;
    std::size_t held_bytes = 0;        // what it takes on the heap
    std::optional<std::int64_t> items; // SYSCALL items=
    std::int64_t paths = 0;
    bool ordered = false; // stands in the queue of process and file events
    bool syscall = false, proctitle = false, trimmed = false, late = false, ended = false;
    Closed closed = Closed::aged;
};

using Queue = std::deque<std::unique_ptr<Open>>;

// With its places in a queue and in the index.
std::size_t bytes_of(const Open& open) {
    return base::block(sizeof(Open)) + sizeof(Queue::value_type) + base::hash_node<EventKey, Open*>() +
           base::heap_of(open.node) + base::heap_of(open.bytes) + base::heap_of(open.records);
}

// Whether a record makes its event one of those whose order matters: what processes did, not what user space had to say
// about it.
bool is_ordered(RecordType type) {
    return type == AUDIT_SYSCALL || type == audit_uringop || type == AUDIT_EXECVE || type == AUDIT_PATH ||
           type == AUDIT_CWD || type == AUDIT_PROCTITLE;
}

std::optional<std::int64_t> items_of(std::string_view body) {
    const auto at = body.find(" items=");
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const auto value = body.substr(at + 7);
    return parse_decimal(value.substr(0, value.find(' ')));
}

} // namespace

struct Assembler::Impl {
    AssemblerLimits limits;
    EventSink& sink;
    AssemblerCounters counters;

    std::unordered_map<EventKey, Open*, EventKeyHash> index;
    Queue ordered; // by first record that matters
    Queue loose;   // everything else, by first record
    std::vector<std::unique_ptr<Open>> pool;
    std::size_t pool_bytes = 0;
    RecentKeys handed_over;   // late records of these are still recognised
    std::vector<Record> view; // of the event being handed over

    Open* last = nullptr; // consecutive records are mostly of one event
    std::int64_t newest_ms = INT64_MIN;
    std::int64_t tick_ms = 0;
    std::uint64_t record_number = 0;
    std::size_t bytes = 0; // of the events in flight

    Impl(const AssemblerLimits& l, EventSink& s) : limits(l), sink(s) {}

    Open* find_or_begin(const Record& record) {
        if (last != nullptr && last->key.id == record.id && last->node == record.node) {
            return last;
        }
        const EventKey key{record.id, record.node.empty() ? 0 : std::hash<std::string_view>{}(record.node)};
        if (const auto found = index.find(key); found != index.end()) {
            return last = found->second;
        }
        const bool late = handed_over.contains(key);
        if (record.type == AUDIT_EOE) {
            return nullptr; // the rest of an event that was handed over, or an end without a beginning
        }
        counters.late += late ? 1 : 0;
        return last = begin(key, record, late);
    }

    Open* begin(const EventKey& key, const Record& record, bool late) {
        auto fresh = take_from_pool();
        if (fresh == nullptr) {
            fresh = std::make_unique<Open>();
        }
        Open* open = fresh.get();
        open->key = key;
        open->node = record.node;
        open->began_ms = newest_ms;
        open->began_tick = tick_ms;
        open->late = late;
        remeasure(*open);
        index.emplace(key, open);
        if (is_ordered(record.type)) {
            open->ordered = true;
            ordered.push_back(std::move(fresh));
        } else {
            loose.push_back(std::move(fresh));
        }
        return open;
    }

    void remeasure(Open& open) {
        const auto now = bytes_of(open);
        bytes += now - open.held_bytes;
        open.held_bytes = now;
    }

    std::size_t held() const { return bytes + pool_bytes + base::hash_buckets(index); }

    std::unique_ptr<Open> take_from_pool() {
        if (pool.empty()) {
            return nullptr;
        }
        auto open = std::move(pool.back());
        pool.pop_back();
        pool_bytes -= open->held_bytes;
        open->held_bytes = 0;
        return open;
    }

    bool is_duplicate(const Open& open, const Record& record) const {
        return std::any_of(open.records.begin(), open.records.end(), [&](const Stored& stored) {
            return stored.type == record.type && stored.body_size == record.body.size() &&
                   std::string_view(open.bytes).substr(stored.start + stored.name_size, stored.body_size) ==
                       record.body;
        });
    }

    bool has_room(Open& open, const Record& record) {
        const auto size = record.body.size() + record.enriched.size();
        // Arguments may be as long as their sender likes; the PATH records behind them must still find room.
        const bool argument = record.type == AUDIT_EXECVE;
        if (open.bytes.size() + size <= limits.max_event_bytes && open.records.size() < limits.max_event_records &&
            (!argument || open.execve_bytes + size <= limits.max_event_bytes / 2)) {
            open.execve_bytes += argument ? size : 0;
            return true;
        }
        open.trimmed = true;
        ++counters.trimmed;
        return false;
    }

    void store(Open& open, const Record& record) {
        Stored stored;
        stored.type = record.type;
        stored.start = static_cast<std::uint32_t>(open.bytes.size());
        stored.name_size = static_cast<std::uint32_t>(record.type_name.size());
        stored.body_size = static_cast<std::uint32_t>(record.body.size());
        stored.enriched_size = static_cast<std::uint32_t>(record.enriched.size());
        open.bytes.append(record.type_name).append(record.body).append(record.enriched);
        open.records.push_back(stored);
        remeasure(open);
        if (!open.ordered && is_ordered(record.type)) { // an AVC or LOGIN came before its SYSCALL
            open.ordered = true;
            const auto place =
                std::find_if(loose.rbegin(), loose.rend(), [&](const auto& one) { return one.get() == &open; });
            ordered.push_back(std::move(*place));
            loose.erase(std::next(place).base());
        }
    }

    void note_content(Open& open, const Record& record) {
        switch (record.type) {
        case AUDIT_SYSCALL:
            open.syscall = true;
            open.items = items_of(record.body);
            break;
        case AUDIT_PATH:
            ++open.paths;
            break;
        case AUDIT_PROCTITLE:
            open.proctitle = true;
            break;
        default:
            break;
        }
        if (open.syscall && open.proctitle && open.items && open.paths >= *open.items) {
            open.ended = true;
            open.closed = Closed::content;
        }
    }

    void push(const Record& record) {
        ++counters.records;
        ++record_number;
        newest_ms = std::max(newest_ms, record.id.time_ms);
        Open* open = find_or_begin(record);
        if (open != nullptr) {
            open->last_record = record_number;
            if (record.type == AUDIT_EOE) {
                open->ended = limits.eager;
                open->closed = Closed::end_of_event;
            } else if (is_duplicate(*open, record)) {
                ++counters.duplicates;
            } else if (has_room(*open, record)) {
                store(*open, record);
                if (limits.eager) {
                    note_content(*open, record);
                }
            }
        }
        hand_over_closed();
        make_room();
    }

    bool is_closed(const Open& open) const {
        if (open.ended) {
            return true;
        }
        const auto quiet = record_number - open.last_record;
        const bool aged = newest_ms - open.began_ms >= limits.timeout_ms;
        return (aged && quiet >= limits.quiet_records) || quiet >= limits.stale_records;
    }

    void hand_over_closed() {
        while (!ordered.empty() && is_closed(*ordered.front())) {
            hand_over_front(ordered);
        }
        while (!loose.empty() && is_closed(*loose.front())) {
            hand_over_front(loose);
        }
    }

    // SYSCALL, all its PATH records, and PROCTITLE: nothing is missing, and what was waited for is no part of it.
    static bool is_whole(const Open& open, std::string_view bytes) {
        std::optional<std::int64_t> items;
        std::int64_t paths = 0;
        bool proctitle = false;
        for (const auto& stored : open.records) {
            if (stored.type == AUDIT_SYSCALL) {
                items = items_of(bytes.substr(stored.start + stored.name_size, stored.body_size));
            }
            paths += stored.type == AUDIT_PATH ? 1 : 0;
            proctitle = proctitle || stored.type == AUDIT_PROCTITLE;
        }
        return items && proctitle && paths >= *items;
    }

    void make_room() {
        while (held() > limits.max_bytes && take_from_pool() != nullptr) {
        }
        while (index.size() > limits.max_events || (held() > limits.max_bytes && !index.empty())) {
            auto& queue =
                !ordered.empty() && (loose.empty() || ordered.front()->last_record <= loose.front()->last_record)
                    ? ordered
                    : loose;
            Open& front = *queue.front();
            if (!front.ended && is_whole(front, front.bytes)) {
                front.closed = Closed::content;
            } else if (!front.ended) {
                front.closed = Closed::evicted;
                ++counters.evicted;
            }
            hand_over_front(queue);
        }
    }

    void hand_over_front(Queue& queue) {
        auto open = std::move(queue.front());
        queue.pop_front();
        if (last == open.get()) {
            last = nullptr;
        }
        index.erase(open->key);
        base::shrink_buckets(index);
        handed_over.add(open->key);
        bytes -= open->held_bytes;
        if (!open->records.empty()) {
            ++counters.events;
            deliver(*open);
        }
        recycle(std::move(open));
    }

    void look_at(const Open& open) {
        view.clear();
        for (const auto& stored : open.records) {
            const auto text = std::string_view(open.bytes).substr(stored.start);
            view.push_back({.id = open.key.id,
                            .type = stored.type,
                            .type_name = text.substr(0, stored.name_size),
                            .node = open.node,
                            .body = text.substr(stored.name_size, stored.body_size),
                            .enriched = text.substr(stored.name_size + stored.body_size, stored.enriched_size)});
        }
    }

    void deliver(const Open& open) {
        look_at(open);
        sink.on_event({.id = open.key.id,
                       .node = open.node,
                       .records = view,
                       .closed = open.closed,
                       .trimmed = open.trimmed,
                       .late = open.late});
        if (view.capacity() > kept_view) {
            std::vector<Record>().swap(view);
        }
    }

    void recycle(std::unique_ptr<Open> open) {
        if (open->held_bytes > pooled_event_bytes || pool_bytes + open->held_bytes > limits.max_bytes / pool_part ||
            held() + open->held_bytes > limits.max_bytes) {
            return;
        }
        Open fresh;
        fresh.bytes.swap(open->bytes);
        fresh.records.swap(open->records);
        fresh.bytes.clear();
        fresh.records.clear();
        *open = std::move(fresh);
        open->held_bytes = bytes_of(*open);
        pool_bytes += open->held_bytes;
        pool.push_back(std::move(open));
    }

    // Both queues as one, by each event's latest record: what user space and the kernel said on their own keeps its
    // place.
    void close_all() {
        while (!ordered.empty() || !loose.empty()) {
            auto& queue =
                loose.empty() || (!ordered.empty() && ordered.front()->last_record <= loose.front()->last_record)
                    ? ordered
                    : loose;
            if (queue.front()->closed == Closed::aged) {
                queue.front()->closed = Closed::end_of_input;
            }
            hand_over_front(queue);
        }
    }
};

Assembler::Assembler(const AssemblerLimits& limits, EventSink& sink) : impl_(std::make_unique<Impl>(limits, sink)) {}
Assembler::~Assembler() = default;

void Assembler::push(const Record& record) {
    impl_->push(record);
}

void Assembler::tick(std::int64_t now_ms) {
    impl_->tick_ms = now_ms;
    for (auto* queue : {&impl_->ordered, &impl_->loose}) {
        while (!queue->empty() &&
               (queue->front()->ended || now_ms - queue->front()->began_tick >= impl_->limits.timeout_ms)) {
            impl_->hand_over_front(*queue);
        }
    }
}

void Assembler::flush() {
    impl_->close_all();
}

void Assembler::save(base::Packer& out) const {
    out.number(impl_->index.size());
    for (const auto* queue : {&impl_->ordered, &impl_->loose}) {
        for (const auto& open : *queue) {
            impl_->look_at(*open);
            out(open->key.id, open->node);
            out.number(impl_->view.size());
            for (const auto& record : impl_->view) {
                out(record.type, std::string(record.type_name), std::string(record.body), std::string(record.enriched));
            }
        }
    }
}

void Assembler::load(base::Unpacker& in) {
    for (auto events = in.size(); events > 0; --events) {
        EventId id;
        std::string node;
        in(id, node);
        for (auto records = in.size(); records > 0; --records) {
            RecordType type = 0;
            std::string type_name;
            std::string body;
            std::string enriched;
            in(type, type_name, body, enriched);
            push({.id = id, .type = type, .type_name = type_name, .node = node, .body = body, .enriched = enriched});
        }
    }
}

std::size_t Assembler::memory() const {
    const auto& impl = *impl_;
    return base::block(sizeof(Impl)) + impl.held();
}
std::size_t Assembler::in_flight() const {
    return impl_->index.size();
}
const AssemblerCounters& Assembler::counters() const {
    return impl_->counters;
}

} // namespace luatrail::audit
