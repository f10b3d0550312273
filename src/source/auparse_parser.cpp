#include "source/auparse_parser.hpp"

#include <cstdlib>
#include <ctime>
#include <exception>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <auparse.h>
#include <fmt/format.h>
#include <libaudit.h>

#include "luatrail/base/error.hpp"
#include "source/feed_ledger.hpp"
#include "source/line_parser.hpp"
#include "source/line_splitter.hpp"

namespace luatrail::source {
namespace {

// libauparse looks for the stamp in the first 80 bytes of a line, or in the first 340 when it begins with "node=".
constexpr std::size_t header_limit = 78;
constexpr std::size_t node_header_limit = 338;

// What libauparse may hold: events without an end (no EOE, no PROCTITLE, a time that never comes) would pile up without
// bound, and its search for an event's earlier records is linear in them. Above it all are released; the assembler
// joins their parts.
constexpr std::size_t held_events_limit = 2048;
constexpr std::size_t held_bytes_limit = 8UL * 1024 * 1024;

// Fed at once. Large enough to be cheap, small enough to keep a finding's delay and the ledger small.
constexpr std::size_t batch_size = 64UL * 1024;

// Seconds after which libauparse releases an event without an end, and after which it has surely released it.
constexpr std::time_t event_timeout = 2;
constexpr std::time_t surely_released = 10;

struct Destroy {
    void operator()(auparse_state_t* state) const { auparse_destroy(state); }
};
struct Free {
    void operator()(const char* text) const {
        std::free(const_cast<char*>(text));
    } // NOLINT: auparse's API gives it as const
};

std::string_view view(const char* text) {
    return text == nullptr ? std::string_view{} : std::string_view(text);
}

class AuparseParser final : public Parser {
  public:
    explicit AuparseParser(RecordSink& sink) : sink_(sink), state_(auparse_init(AUSOURCE_FEED, nullptr)) {
        if (!state_) {
            throw base::Error("libauparse: cannot be initialised: out of memory");
        }
        auparse_set_eoe_timeout(event_timeout); // not the host's auditd.conf, which a replay must not depend on
        auparse_add_callback(state_.get(), on_event, this, nullptr);
    }
    AuparseParser(const AuparseParser&) = delete;
    AuparseParser& operator=(const AuparseParser&) = delete;
    ~AuparseParser() override = default;

    void feed(std::string_view chunk) override {
        counters_.bytes += chunk.size();
        splitter_.feed(chunk);
        submit();
    }

    void age() override {
        auparse_feed_age_events(state_.get());
        rethrow();
        ledger_.give_up_before((std::time(nullptr) - surely_released) * 1000, recover_);
    }

    void finish() override {
        splitter_.finish();
        submit();
        flush();
    }

    void name_nodes(NodeNaming naming) override { naming_ = std::move(naming); }
    const ParserCounters& counters() const override { return counters_; }

    void line(std::string_view text) {
        audit::Record record;
        if (!read_line(text, naming_, counters_, sink_, record)) {
            return;
        }
        if (!write_canonical(record)) {
            sink_.on_record(record);
            ++counters_.recovered;
            return;
        }
        ledger_.add(record.node, record.id, canonical_);
        if (record.type == AUDIT_EOE) {
            ends_.push_back({std::string(record.node), record.id});
        }
        batch_.append(canonical_).push_back('\n');
        if (batch_.size() >= batch_size) {
            submit();
        }
    }
    void too_long(std::string_view start) { refuse_too_long(start, counters_, sink_); }

  private:
    struct End {
        std::string node;
        audit::EventId id;
    };

    // The one shape that libauparse surely takes, whatever stood before or between. Leading zeros, because it searches
    // the serial behind the tenth byte only. False when the header is longer than libauparse reads.
    bool write_canonical(const audit::Record& record) {
        canonical_.clear();
        if (!record.node.empty()) {
            fmt::format_to(std::back_inserter(canonical_), "node={} ", record.node);
        }
        fmt::format_to(std::back_inserter(canonical_), "type={} msg=audit({:010}.{:03}:{}): ", record.type_name,
                       record.id.time_ms / 1000, record.id.time_ms % 1000, record.id.serial);
        if (canonical_.size() > (record.node.empty() ? header_limit : node_header_limit)) {
            return false;
        }
        canonical_.append(record.body);
        if (record.enriched.data() != nullptr) {
            canonical_.append(1, '\x1d').append(record.enriched);
        }
        return true;
    }

    // Its result is not looked at: libauparse 4.2 reports EBADMSG for a record that it does not like, and goes on; the
    // ledger knows which one it was.
    void submit() {
        if (!batch_.empty()) {
            auparse_feed(state_.get(), batch_.data(), batch_.size());
            batch_.clear();
            rethrow();
        }
        // An event whose end was the last line comes out with the next call only.
        auparse_feed(state_.get(), "", 0);
        rethrow();
        // An EOE completes the event that is being built. One that is still out came behind the event's release, and
        // was dropped.
        for (const auto& end : ends_) {
            ledger_.give_up(end.node, end.id, recover_);
        }
        ends_.clear();
        if (ledger_.events() > held_events_limit || ledger_.bytes() > held_bytes_limit) {
            flush();
        }
    }

    void flush() {
        auparse_flush_feed(state_.get());
        rethrow();
        ledger_.give_up_before(std::numeric_limits<std::int64_t>::max(), recover_);
    }

    // libauparse is C: an exception of the sink may not pass through it.
    static void on_event(auparse_state_t* state, auparse_cb_event_t type, void* self) {
        auto& parser = *static_cast<AuparseParser*>(self);
        if (type != AUPARSE_CB_EVENT_READY || parser.failure_) {
            return;
        }
        try {
            parser.deliver(state);
        } catch (...) {
            parser.failure_ = std::current_exception();
        }
    }

    void rethrow() {
        if (failure_) {
            std::rethrow_exception(std::exchange(failure_, nullptr));
        }
    }

    void deliver(auparse_state_t* state) {
        // Not auparse_get_timestamp: it knows no event of the second 0.
        const audit::EventId id{static_cast<std::int64_t>(auparse_get_time(state)) * 1000 + auparse_get_milli(state),
                                auparse_get_serial(state)};
        const std::unique_ptr<const char, Free> node(auparse_get_node(state));
        if (auparse_first_record(state) <= 0) {
            return;
        }
        do {
            const FeedLedger::Delivered delivered{view(auparse_get_record_text(state)),
                                                  view(auparse_get_record_interpretations(state))};
            audit::Record record;
            Malformed reason{};
            if (ledger_.settle(view(node.get()), id, delivered, recover_) &&
                parse_bare_line(delivered.raw, record, reason)) {
                record.id = id;
                record.node = view(node.get());
                record.enriched = delivered.enriched;
                // A name that only libauparse knows is unknown: it also takes "Syscall" for SYSCALL, which auditd never
                // writes.
                const int type = auparse_get_type(state);
                if (record.type != 0 && type > 0 && type <= std::numeric_limits<audit::RecordType>::max()) {
                    record.type = static_cast<audit::RecordType>(type);
                }
                sink_.on_record(record);
            }
        } while (auparse_next_record(state) > 0);
    }

    void recover(std::string_view line) {
        audit::Record record;
        Malformed reason{};
        if (parse_bare_line(line, record, reason)) {
            ++counters_.recovered;
            sink_.on_record(record);
        }
    }

    RecordSink& sink_;
    ParserCounters counters_;
    NodeNaming naming_;
    LineSplitter<AuparseParser> splitter_{*this};
    FeedLedger ledger_;
    const FeedLedger::Lost recover_{[this](std::string_view line) { recover(line); }};
    std::string canonical_; // the line at hand
    std::string batch_;     // lines to be fed
    std::vector<End> ends_; // EOE records fed since the last look
    std::exception_ptr failure_;
    std::unique_ptr<auparse_state_t, Destroy> state_; // destroyed first
};

} // namespace

std::unique_ptr<Parser> make_auparse_parser(RecordSink& sink) {
    return std::make_unique<AuparseParser>(sink);
}

} // namespace luatrail::source
