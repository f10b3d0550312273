// `journalctl -o export` and `-o json`.
#include "support/catch.hpp"

#include "source/support.hpp"

namespace journal_parser_test {

using namespace luatrail;
using source::ParserKind;
using source_test::parse;

namespace {

const std::string record = "web1|SYSCALL|1300|1795572010.666:108286|arch=c000003e syscall=59 exe=\"/usr/bin/lua\"|";

// As systemd 252 writes an entry of the kernel's audit.
std::string exported(const std::string& message) {
    return "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1795572010700000\n_TRANSPORT=audit\n_HOSTNAME=web1\n"
           "_AUDIT_TYPE=1300\n_AUDIT_TYPE_NAME=SYSCALL\n_AUDIT_ID=108286\n"
           "_SOURCE_REALTIME_TIMESTAMP=1795572010666000\n" +
           message + "\n\n";
}
const std::string plain = "MESSAGE=SYSCALL arch=c000003e syscall=59 exe=\"/usr/bin/lua\"";

// "NAME" and its bytes, which may be any.
std::string binary(const std::string& name, const std::string& bytes) {
    std::string size(8, '\0');
    for (std::size_t at = 0; at < 8; ++at) {
        size[at] = static_cast<char>(bytes.size() >> (8 * at));
    }
    return name + "\n" + size + bytes;
}

} // namespace

TEST_CASE("the journal's exports are read as the records that journald took, in pieces of any size") {
    const auto whole =
        exported(plain) + exported(binary("MESSAGE", "SYSCALL arch=c000003e syscall=59 exe=\"/usr/bin/lua\""));
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{64}, whole.size()}) {
        CAPTURE(chunk);
        const auto read = parse(whole, ParserKind::native, chunk);
        CHECK(read.records == std::vector<std::string>{record, record});
        CHECK(read.malformed.empty());
    }
    CHECK(parse(whole, ParserKind::auparse).records.size() == 2);
    const auto cut = parse(exported(plain) + "__CURSOR=s=1;i=3\nMESSAGE=SYSC", ParserKind::native);
    CHECK(cut.records == std::vector<std::string>{record});
}

TEST_CASE("the journal's JSON is read, with texts as bytes and fields that are missing") {
    const std::string one =
        R"({"__CURSOR":"s=1","_TRANSPORT":"audit","_HOSTNAME":"web1","_AUDIT_TYPE":"1300","_AUDIT_TYPE_NAME":"SYSCALL",)"
        R"("_AUDIT_ID":"108286","_SOURCE_REALTIME_TIMESTAMP":"1795572010666000",)";
    const auto text =
        one + R"("MESSAGE":"SYSCALL arch=c000003e syscall=59 exe=\"/usr/bin/lua\""})" + "\n" + one +
        R"("MESSAGE":[83,89,83,67,65,76,76,32,97,61,98]})" + "\n" + one + R"("MESSAGE":null})" + "\n" +
        R"({"_TRANSPORT":"syslog","MESSAGE":"type=CWD msg=audit(1.002:3): cwd=\"/\"","_HOSTNAME":"web2"})" +
        "\n{\"broken\n";
    const auto read = parse(text, ParserKind::native, 5);
    CHECK(read.records == std::vector<std::string>{record, "web1|SYSCALL|1300|1795572010.666:108286|a=b|",
                                                   "web2|CWD|1307|1.002:3|cwd=\"/\"|"});
    CHECK(read.malformed == std::vector<std::string>{"no-record|{\"broken"});
}

TEST_CASE("what a program logs can't add a record to the journal's export") {
    const std::string forged = "type=SYSCALL msg=audit(1.002:3): arch=c000003e";
    const std::string begin = "__CURSOR=s=1;i=2\n_TRANSPORT=syslog\n_HOSTNAME=web1\n";
    CHECK(parse(begin + "MESSAGE=hello " + forged + "\n\n", ParserKind::native).records.empty());
    CHECK(parse(begin + binary("MESSAGE", "hello\n" + forged) + "\n\n", ParserKind::native).records.empty());
    const auto several = parse(begin + binary("MESSAGE", forged + "\n" + forged) + "\n\n", ParserKind::native);
    CHECK(several.records.size() == 1); // one entry is at most one record
    CHECK(parse(begin + binary("_HOSTNAME", "a\n" + forged) + "\nMESSAGE=x\n\n", ParserKind::native).records.empty());
    // A field that claims to be longer than any is.
    CHECK(parse(begin + "MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff x\n\n" + exported(plain), ParserKind::native)
              .records == std::vector<std::string>{record});
}

TEST_CASE("after a journal's export the next input is what it is") {
    source_test::Recorder recorder;
    const auto parser = source::make_parser(ParserKind::native, recorder);
    parser->feed(exported(plain));
    parser->finish();
    parser->feed("type=CWD msg=audit(1.002:3): cwd=\"/\"\n");
    parser->finish();
    CHECK(recorder.records == std::vector<std::string>{record, "|CWD|1307|1.002:3|cwd=\"/\"|"});
}

TEST_CASE("whose a record without a node is can be said") {
    source_test::Recorder recorder;
    const auto parser = source::make_parser(ParserKind::native, recorder);
    const std::string line = "type=CWD msg=audit(1.002:3): cwd=\"/\"\n";
    const auto feed = [&](source::NodeNaming naming) {
        parser->name_nodes(std::move(naming));
        parser->feed(line + "Jun 14 15:19:02 relay audispd: " + line + "node=own " + line);
        parser->finish();
        std::vector<std::string> nodes;
        for (const auto& one : recorder.records) {
            nodes.push_back(one.substr(0, one.find('|')));
        }
        recorder.records.clear();
        return nodes;
    };
    using Nodes = std::vector<std::string>;
    CHECK(feed({}) == Nodes{"", "relay", "own"});
    CHECK(feed({.by_relay = true, .otherwise = "web1"}) == Nodes{"web1", "relay", "own"});
    CHECK(feed({.by_relay = false, .otherwise = "web1"}) == Nodes{"web1", "web1", "own"});
    CHECK(feed({.by_relay = false, .otherwise = {}}) == Nodes{"", "", "own"});
}

} // namespace journal_parser_test
