// Events that outlive their handler, and logs turned into events in every way that must come to the same.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

#include <fmt/format.h>

#include "luatrail/audit/assembler.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/source/parser.hpp"

namespace audit_test {

using namespace luatrail;

class Kept {
  public:
    explicit Kept(const audit::Event& event) : event_(event) {
        event_.node = keep(event.node);
        for (auto record : event.records) {
            record.type_name = keep(record.type_name);
            record.node = keep(record.node);
            record.body = keep(record.body);
            record.enriched = keep(record.enriched);
            records_.push_back(record);
        }
        event_.records = records_;
        typed_ = decoder_.decode(event_);
    }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    const audit::Event& event() const { return event_; }
    const audit::TypedEvent& typed() const { return typed_; }

    // "web01 1.000:5 SYSCALL EXECVE late": all but why it was closed, which depends on what came behind it.
    std::string text() const {
        auto text = std::string(event_.node).append(event_.node.empty() ? "" : " ") + audit::to_string(event_.id);
        for (const auto& record : event_.records) {
            text.append(" ").append(record.type_name);
        }
        return text.append(event_.late ? " late" : "").append(event_.trimmed ? " trimmed" : "");
    }

    // The bytes of all records too.
    std::string whole() const {
        auto whole = text();
        for (const auto& record : event_.records) {
            whole.append("\n").append(record.body).append("\x1d").append(record.enriched);
        }
        return whole;
    }

  private:
    std::string_view keep(std::string_view bytes) { return strings_.emplace_back(bytes); }

    audit::Event event_;
    std::deque<std::string> strings_;
    std::vector<audit::Record> records_;
    audit::Decoder decoder_;
    audit::TypedEvent typed_;
};

// What comes out of one log.
struct Assembled {
    std::vector<std::unique_ptr<Kept>> events;
    audit::AssemblerCounters counters;
    source::ParserCounters parsed;

    std::vector<std::string> texts() const {
        std::vector<std::string> texts;
        for (const auto& event : events) {
            texts.push_back(event->text());
        }
        return texts;
    }
    std::vector<std::string> whole_sorted() const {
        std::vector<std::string> whole;
        for (const auto& event : events) {
            whole.push_back(event->whole());
        }
        std::sort(whole.begin(), whole.end());
        return whole;
    }
};

class Keeper final : public audit::EventSink {
  public:
    void on_event(const audit::Event& event) override { events.push_back(std::make_unique<Kept>(event)); }
    std::vector<std::unique_ptr<Kept>> events;
};

struct Way {
    source::ParserKind parser = source::ParserKind::native;
    std::size_t chunk = std::string_view::npos;
    audit::AssemblerLimits limits{};
};

inline Assembled assemble(std::string_view log, const Way& way = {}) {
    struct Feed final : source::RecordSink {
        explicit Feed(audit::Assembler& to) : assembler(to) {}
        void on_record(const audit::Record& record) override { assembler.push(record); }
        void on_malformed(source::Malformed, std::string_view) override {}
        audit::Assembler& assembler;
    };
    Keeper keeper;
    audit::Assembler assembler(way.limits, keeper);
    Feed feed(assembler);
    const auto parser = source::make_parser(way.parser, feed);
    while (!log.empty()) {
        parser->feed(log.substr(0, way.chunk));
        log.remove_prefix(std::min(way.chunk, log.size()));
    }
    parser->finish();
    assembler.flush();
    return {std::move(keeper.events), assembler.counters(), parser->counters()};
}

// With the native parser; the same events must come of single bytes and through libauparse.
inline Assembled events_of(std::string_view log) {
    auto made = assemble(log);
    const auto expected = made.whole_sorted();
    CAPTURE(log);
    REQUIRE(assemble(log, {.chunk = 1}).whole_sorted() == expected);
    REQUIRE(assemble(log, {.parser = source::ParserKind::auparse, .chunk = 7}).whole_sorted() == expected);
    return made;
}

inline std::unique_ptr<Kept> event_of(std::string_view log) {
    auto made = events_of(log);
    REQUIRE(made.texts().size() == 1);
    return std::move(made.events.front());
}

// `stamp` is "SECONDS.MILLIS:SERIAL".
inline std::string line(std::string_view type, std::string_view stamp, std::string_view body = {}) {
    return fmt::format("type={} msg=audit({}): {}\n", type, stamp, body);
}

// A SYSCALL record of x86_64.
inline std::string syscall_line(std::string_view stamp, int call, std::string_view middle = "success=yes exit=0",
                                std::string_view end = "comm=\"lua\" exe=\"/usr/bin/lua5.4\" key=(null)") {
    return line("SYSCALL", stamp,
                fmt::format("arch=c000003e syscall={} {} a0=1 a1=2 a2=3 a3=4 items=0 ppid=7 pid=8 auid=1000 uid=33 "
                            "gid=33 euid=33 tty=pts0 ses=3 {}",
                            call, middle, end));
}

// "a b '' c", and what is said about it: "(argc=3) missing=1 truncated".
inline std::string argv_text(const audit::Execve& execve) {
    auto text = fmt::format("argc={}", execve.argc ? std::to_string(*execve.argc) : "-");
    for (const auto& argument : execve.argv) {
        text.append(" [").append(argument).append("]");
    }
    for (const auto index : execve.missing) {
        text.append(fmt::format(" missing={}", index));
    }
    for (const auto index : execve.cut) {
        text.append(fmt::format(" cut={}", index));
    }
    for (const auto index : execve.headless) {
        text.append(fmt::format(" headless={}", index));
    }
    return text.append(execve.truncated ? " truncated" : "");
}

} // namespace audit_test
