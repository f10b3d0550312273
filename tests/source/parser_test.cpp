#include "support/catch.hpp"

#include <random>

#include "source/support.hpp"

using namespace luatrail;
using source::ParserKind;
using source_test::parse;
using source_test::Recorder;
using source_test::sorted;

namespace {

// The corpus is not part of the project: a developer may lack it, the project's own test run may not.
bool have_corpus() {
    if (!source_test::corpus().empty()) {
        return true;
    }
    WARN("no corpus: set LUATRAIL_CORPUS to its directory");
    CHECK(std::getenv("CI") == nullptr);
    return false;
}

const std::string two_lines = "type=SYSCALL msg=audit(1.002:3): a=b\ntype=CWD msg=audit(1.002:3): cwd=\"/\"";

std::string record(const std::string& type, const std::string& id, const std::string& body) {
    return "type=" + type + " msg=audit(" + id + "): " + body + "\n";
}

} // namespace

TEST_CASE("any chunking of a file yields the same records") {
    if (!have_corpus()) {
        return;
    }
    std::mt19937 random(1);
    for (const auto& path : source_test::corpus()) {
        CAPTURE(path);
        const auto bytes = source_test::read_file(path);
        const auto whole = parse(bytes, ParserKind::native);
        for (const std::size_t chunk : {1, 7, 4096}) {
            CHECK((parse(bytes, ParserKind::native, chunk) == whole));
        }
        Recorder recorder;
        const auto parser = source::make_parser(ParserKind::native, recorder);
        std::string_view rest = bytes;
        while (!rest.empty()) {
            const auto size = std::min<std::size_t>(random() % 700, rest.size());
            parser->feed(rest.substr(0, size));
            rest.remove_prefix(size);
        }
        parser->finish();
        CHECK((recorder == whole));
    }
}

TEST_CASE("both parsers read the same records and refuse the same lines, in the corpus and in the recordings") {
    have_corpus();
    auto files = source_test::corpus();
    for (const auto& scenario : source_test::scenarios()) {
        files.push_back(scenario);
    }
    std::size_t records = 0;
    for (const auto& path : files) {
        CAPTURE(path);
        const auto bytes = source_test::read_file(path);
        const auto native = parse(bytes, ParserKind::native);
        const auto auparse = parse(bytes, ParserKind::auparse);
        CHECK(sorted(auparse.records) == sorted(native.records));
        CHECK(auparse.malformed == native.malformed);
        records += native.records.size();
    }
    CHECK((files.empty() || records > 0));
}

TEST_CASE("libauparse keeps the order of an event's records") {
    for (const auto& path : source_test::corpus()) {
        CAPTURE(path);
        const auto bytes = source_test::read_file(path);
        const auto by_event = [](std::vector<std::string> records) {
            std::stable_sort(records.begin(), records.end(), [](const std::string& left, const std::string& right) {
                const auto key = [](const std::string& text) {
                    const auto node = text.substr(0, text.find('|'));
                    const auto id = text.find('|', text.find('|', node.size() + 1) + 1) + 1;
                    return std::pair(node, text.substr(id, text.find('|', id) - id));
                };
                return key(left) < key(right);
            });
            return records;
        };
        CHECK(by_event(parse(bytes, ParserKind::auparse, 4096).records) ==
              by_event(parse(bytes, ParserKind::native).records));
    }
}

TEST_CASE("the last line counts although it has no newline, and the parser can be fed again") {
    for (const auto kind : {ParserKind::native, ParserKind::auparse}) {
        Recorder recorder;
        const auto parser = source::make_parser(kind, recorder);
        parser->feed(two_lines);
        parser->finish();
        parser->feed(two_lines);
        parser->finish();
        const std::vector<std::string> once{"|SYSCALL|1300|1.002:3|a=b|", "|CWD|1307|1.002:3|cwd=\"/\"|"};
        CHECK(recorder.records == std::vector<std::string>{once[0], once[1], once[0], once[1]});
        CHECK(parser->counters().bytes == 2 * two_lines.size());
        CHECK(parser->counters().lines == 4);
        CHECK(parser->counters().records == 4);
        CHECK(parser->counters().malformed_total() == 0);
    }
}

TEST_CASE("malformed lines are counted by reason and cost no other line") {
    using namespace std::string_literals;
    const auto bytes = "garbage\n\n\r\n"s + record("CWD", "1.002:3", "a=b") + "type=CWD msg=audit(x): a\n" +
                       "type=CWD msg=audit(1.002:3): \0a\n"s +
                       "type=CWD msg=audit(05/15/2019 16:28:38.510:1684) : a\n" + record("PATH", "1.002:3", "c=d");
    for (const auto kind : {ParserKind::native, ParserKind::auparse}) {
        Recorder recorder;
        const auto parser = source::make_parser(kind, recorder);
        parser->feed(bytes);
        parser->finish();
        CHECK(recorder.records == std::vector<std::string>{"|CWD|1307|1.002:3|a=b|", "|PATH|1302|1.002:3|c=d|"});
        CHECK(recorder.malformed ==
              std::vector<std::string>{"no-record|garbage", "bad-stamp|type=CWD msg=audit(x): a",
                                       "nul-byte|type=CWD msg=audit(1.002:3): \0a"s,
                                       "interpreted|type=CWD msg=audit(05/15/2019 16:28:38.510:1684) : a"});
        CHECK(parser->counters().malformed == std::array<std::uint64_t, source::malformed_count>{1, 1, 1, 0, 1, 0, 0});
        CHECK(parser->counters().lines == 6);
    }
}

TEST_CASE("carriage returns end a line, however many; one before the enriched half is the record's own") {
    const std::string bytes = "type=CWD msg=audit(1.002:3): a=b\r\r\n\r\r\ntype=CWD msg=audit(1.002:3): a=c\r\x1d"
                              "A=c\r\n";
    for (const auto kind : {ParserKind::native, ParserKind::auparse}) {
        const auto recorder = parse(bytes, kind);
        CHECK(recorder.records == std::vector<std::string>{"|CWD|1307|1.002:3|a=b|", "|CWD|1307|1.002:3|a=c\r|A=c"});
        CHECK(recorder.malformed.empty());
    }
}

TEST_CASE("a line longer than the limit is skipped and counted, with any chunking") {
    const auto longest =
        record("CWD", "1.002:3", std::string(source::max_line - record("CWD", "1.002:3", "").size() + 1, 'x'));
    REQUIRE(longest.size() == source::max_line + 1);
    auto too_long = longest;
    too_long.insert(too_long.size() - 1, "y");
    const auto last = record("CWD", "1.002:4", "a=b");
    for (const auto kind : {ParserKind::native, ParserKind::auparse}) {
        for (const std::size_t chunk : {std::string::npos, std::size_t{1000}, source::max_line, source::max_line + 1}) {
            const auto recorder = parse(longest + too_long + last + too_long, kind, chunk);
            CHECK(recorder.records.size() == 2);
            CHECK(recorder.records.back() == "|CWD|1307|1.002:4|a=b|");
            CHECK(recorder.malformed == std::vector<std::string>(2, "too-long|" + too_long.substr(0, 1024)));
        }
    }
}

TEST_CASE("an EOE behind the event's release is delivered once, behind the event") {
    const auto bytes = record("SYSCALL", "1.002:3", "a=b") + record("PROCTITLE", "1.002:3", "proctitle=61") +
                       record("EOE", "1.002:3", "");
    Recorder recorder;
    const auto parser = source::make_parser(ParserKind::auparse, recorder);
    parser->feed(bytes);
    const std::vector<std::string> expected{"|SYSCALL|1300|1.002:3|a=b|", "|PROCTITLE|1327|1.002:3|proctitle=61|",
                                            "|EOE|1320|1.002:3||"};
    CHECK(recorder.records == expected);
    parser->finish();
    CHECK(recorder.records == expected);
    CHECK(parser->counters().recovered == 1);
}

TEST_CASE("an event is delivered as soon as its end was fed, not with the next event") {
    for (const char* end : {"PROCTITLE", "EOE"}) {
        Recorder recorder;
        const auto parser = source::make_parser(ParserKind::auparse, recorder);
        parser->feed(record("SYSCALL", "1795572010.002:3", "a=b"));
        CHECK(recorder.records.empty());
        parser->feed(record(end, "1795572010.002:3", "a=b"));
        CHECK(recorder.records.size() == 2);
    }
}

TEST_CASE("an event without an end is delivered when it has aged") {
    Recorder recorder;
    const auto parser = source::make_parser(ParserKind::auparse, recorder);
    parser->feed(record("SYSCALL", "1000000000.002:3", "a=b"));
    CHECK(recorder.records.empty());
    parser->age();
    CHECK(recorder.records == std::vector<std::string>{"|SYSCALL|1300|1000000000.002:3|a=b|"});
}

TEST_CASE("what libauparse drops or can't take is delivered nevertheless") {
    const std::string many(400, 'p');
    const auto avc = record("AVC", "1000000000.002:3", "avc:  denied  { " + many + " } for  pid=1");
    const auto long_node = "node=" + std::string(400, 'n') + " " + record("CWD", "1000000000.002:4", "a=b");
    const auto long_type = record(std::string(90, 'T'), "1000000000.002:5", "a=b");
    for (const auto& line : {avc, long_node, long_type}) {
        CAPTURE(line);
        CHECK(parse(line, ParserKind::auparse).records == parse(line, ParserKind::native).records);
        Recorder live;
        const auto parser = source::make_parser(ParserKind::auparse, live);
        parser->feed(line);
        parser->age();
        CHECK(live.records == parse(line, ParserKind::native).records);
    }
}

TEST_CASE("a type's name counts in auditd's spelling only, with either parser") {
    const auto bytes = record("Syscall", "1000000000.002:3", "a=b");
    for (const auto kind : {ParserKind::native, ParserKind::auparse}) {
        CHECK(parse(bytes, kind).records == std::vector<std::string>{"|Syscall|0|1000000000.002:3|a=b|"});
    }
}

TEST_CASE("records that differ in their enriched half only are told apart when one is dropped") {
    const auto bytes = record("PROCTITLE", "1000000000.002:3", "") +
                       record("EOE", "1000000000.002:3",
                              "\x1d"
                              "A=1") +
                       record("EOE", "1000000000.002:3",
                              "\x1d"
                              "A=2") +
                       record("CWD", "1000000000.002:3", "") +
                       record("EOE", "1000000000.002:3",
                              "\x1d"
                              "A=3");
    CHECK(sorted(parse(bytes, ParserKind::auparse).records) == sorted(parse(bytes, ParserKind::native).records));
}

TEST_CASE("events that never end do not pile up in libauparse") {
    Recorder recorder;
    const auto parser = source::make_parser(ParserKind::auparse, recorder);
    constexpr std::size_t fed = 20000;
    for (std::size_t serial = 0; serial < fed; ++serial) {
        parser->feed(record("SYSCALL", "4102444800.000:" + std::to_string(serial), "a=b"));
    }
    CHECK(recorder.records.size() > fed - 3000);
    parser->finish();
    CHECK(recorder.records.size() == fed);
}

TEST_CASE("an exception of the sink comes out of the parser whole") {
    struct Thrower final : source::RecordSink {
        void on_record(const audit::Record&) override { throw std::runtime_error("sink"); }
        void on_malformed(source::Malformed, std::string_view) override {}
    };
    for (const auto kind : {ParserKind::native, ParserKind::auparse}) {
        Thrower sink;
        const auto parser = source::make_parser(kind, sink);
        CHECK_THROWS_WITH(parser->feed(record("SYSCALL", "1.002:3", "a") + record("EOE", "1.002:3", "")), "sink");
    }
}
