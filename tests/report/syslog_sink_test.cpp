#include "luatrail/report/syslog_sink.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "luatrail/base/error.hpp"
#include "report/findings.hpp"
#include "support/catch.hpp"

using namespace luatrail;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Strings = std::vector<std::string>;

namespace {

// A syslog daemon of one socket, which reads only when it is asked to.
class Receiver {
  public:
    explicit Receiver(const std::string& path, int type = SOCK_DGRAM) : path_(path), type_(type) {
        fd_ = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        if (type == SOCK_STREAM) {
            REQUIRE(::listen(fd_, 4) == 0);
        }
    }
    ~Receiver() {
        ::close(fd_);
        if (connection_ >= 0) {
            ::close(connection_);
        }
        ::unlink(path_.c_str());
    }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    // What has arrived, one string a message.
    Strings read() {
        if (type_ == SOCK_STREAM && connection_ < 0) {
            connection_ = ::accept(fd_, nullptr, nullptr);
        }
        const int from = type_ == SOCK_STREAM ? connection_ : fd_;
        Strings messages;
        std::string buffer(100'000, '\0');
        for (;;) {
            const auto size = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (size <= 0) {
                return messages;
            }
            if (type_ == SOCK_DGRAM) {
                messages.push_back(buffer.substr(0, static_cast<std::size_t>(size)));
                continue;
            }
            unfinished_.append(buffer, 0, static_cast<std::size_t>(size));
            for (auto end = unfinished_.find('\0'); end != std::string::npos; end = unfinished_.find('\0')) {
                messages.push_back(unfinished_.substr(0, end));
                unfinished_.erase(0, end + 1);
            }
        }
    }

  private:
    std::string path_, unfinished_;
    int type_, fd_ = -1, connection_ = -1;
};

struct Setting {
    std::string directory = std::filesystem::temp_directory_path() / "luatrail-syslog-XXXXXX";
    boost::asio::io_context io;
    report::SyslogOptions options;
    Strings log;

    Setting() {
        REQUIRE(::mkdtemp(directory.data()) != nullptr);
        options.socket = directory + "/log";
    }
    ~Setting() { std::filesystem::remove_all(directory); }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;

    report::SyslogSink sink() {
        return {io, options, [this](const std::string& text) { log.push_back(text); }};
    }
    std::string line(const detect::Finding& finding) const { return report::to_syslog(finding, options.format); }
    void run(std::chrono::milliseconds time) {
        io.restart();
        io.run_for(time);
    }
};

detect::Finding numbered(int number, detect::Severity severity = detect::Severity::high) {
    auto finding = test::bare();
    finding.severity = severity;
    finding.time_ms = number;
    finding.process.pid = static_cast<std::uint32_t>(number);
    return finding;
}

// "3" of a finding's pid, "dropped" of a summary.
Strings names(const Strings& messages) {
    Strings found;
    for (const auto& message : messages) {
        const auto pid = message.find("\"pid\":");
        found.push_back(pid == std::string::npos ? message.substr(message.find('{'))
                                                 : message.substr(pid + 6, message.find(',', pid) - pid - 6));
    }
    return found;
}

} // namespace

TEST_CASE("a finding is in the socket when on_finding returns, without a turn of the event loop") {
    Setting s;
    Receiver receiver(s.options.socket);
    auto sink = s.sink();
    sink.on_finding(test::dropped_script());
    sink.on_finding(test::hostile());
    CHECK(receiver.read() == Strings{s.line(test::dropped_script()), s.line(test::hostile())});
    CHECK(sink.counters().sent == 2);
    CHECK(sink.counters().queued == 0);
    CHECK(sink.counters().reconnects == 0);
    CHECK(s.log.empty());
}

TEST_CASE("a stream socket takes messages that end in a NUL") {
    Setting s;
    Receiver receiver(s.options.socket, SOCK_STREAM);
    auto sink = s.sink();
    sink.on_finding(test::dropped_script());
    sink.on_finding(test::bare());
    CHECK(receiver.read() == Strings{s.line(test::dropped_script()), s.line(test::bare())});
}

TEST_CASE("a stream that takes half a message gets the other half later") {
    Setting s;
    Receiver receiver(s.options.socket, SOCK_STREAM);
    auto sink = s.sink();
    Strings expected;
    for (int number = 0; number < 1000; ++number) { // about a megabyte, more than a socket holds
        sink.on_finding(numbered(number));
        expected.push_back(s.line(numbered(number)));
    }
    CHECK(sink.counters().queued > 0);
    Strings got;
    const auto deadline = Clock::now() + 10s;
    while (got.size() < expected.size() && Clock::now() < deadline) {
        for (auto& message : receiver.read()) {
            got.push_back(std::move(message));
        }
        s.run(5ms);
    }
    CHECK(got == expected);
    CHECK(sink.counters().sent == 1000);
    CHECK(sink.counters().queued == 0);
}

TEST_CASE("findings wait for a socket that is not there yet") {
    Setting s;
    auto sink = s.sink();
    sink.on_finding(numbered(1));
    sink.on_finding(numbered(2));
    s.run(150ms);
    CHECK(sink.counters().queued == 2);
    Receiver receiver(s.options.socket);
    s.run(1s);
    CHECK(names(receiver.read()) == Strings{"1", "2"});
    CHECK(sink.counters().queued == 0);
    CHECK(sink.counters().reconnects == 1);
    CHECK(s.log ==
          Strings{"syslog: " + s.options.socket +
                      ": No such file or directory; findings wait (up to 10000) and are sent when it is back",
                  "syslog: " + s.options.socket + ": takes messages again; 2 findings waited, 0 were dropped so far"});
}

TEST_CASE("a daemon that restarts at once is found again by the next finding, in silence") {
    Setting s;
    auto first = std::make_unique<Receiver>(s.options.socket);
    auto sink = s.sink();
    sink.on_finding(numbered(1));
    CHECK(names(first->read()) == Strings{"1"});
    first.reset();
    Receiver second(s.options.socket);
    sink.on_finding(numbered(2));
    CHECK(names(second.read()) == Strings{"2"});
    CHECK(sink.counters().reconnects == 1);
    CHECK(s.log.empty());
}

TEST_CASE("a socket that goes away is told of once, and so is its return") {
    Setting s;
    auto first = std::make_unique<Receiver>(s.options.socket);
    auto sink = s.sink();
    sink.on_finding(numbered(1));
    first.reset();
    for (int number = 2; number < 6; ++number) {
        sink.on_finding(numbered(number));
        s.run(60ms);
    }
    CHECK(s.log.size() == 1);
    Receiver second(s.options.socket);
    s.run(1500ms);
    CHECK(names(second.read()) == Strings{"2", "3", "4", "5"});
    CHECK(s.log.size() == 2);
}

TEST_CASE("a daemon that does not read never blocks, and gets everything once it does") {
    Setting s;
    Receiver receiver(s.options.socket);
    auto sink = s.sink();
    Strings expected;
    const auto before = Clock::now();
    for (int number = 0; number < 2000; ++number) {
        sink.on_finding(numbered(number));
        expected.push_back(std::to_string(number));
    }
    CHECK(Clock::now() - before < 10s); // rendering; the socket holds a few hundred messages at most
    CHECK(sink.counters().queued > 1000);
    CHECK(sink.counters().dropped == 0);
    Strings got;
    const auto deadline = Clock::now() + 10s;
    while (got.size() < expected.size() && Clock::now() < deadline) {
        for (auto& name : names(receiver.read())) {
            got.push_back(std::move(name));
        }
        s.run(2ms);
    }
    CHECK(got == expected);
    CHECK(sink.counters().queued == 0);
    CHECK(s.log.empty()); // slow is not broken
}

TEST_CASE("the event loop is woken when the daemon has read, not only by its timer") {
    Setting s;
    Receiver receiver(s.options.socket);
    auto sink = s.sink();
    for (int number = 0; sink.counters().queued < 3; ++number) {
        sink.on_finding(numbered(number));
    }
    s.run(10ms);
    receiver.read();
    const auto before = Clock::now();
    s.io.restart();
    while (sink.counters().queued > 0 && Clock::now() - before < 2s) {
        s.io.run_one_for(50ms);
    }
    CHECK(sink.counters().queued == 0);
    CHECK(Clock::now() - before < 300ms); // the timer would take 500 ms
}

TEST_CASE("a full queue drops the newest of the least severe, and one summary tells of them") {
    using detect::Severity;
    Setting s;
    s.options.queue = 4;
    auto sink = s.sink();
    sink.on_finding(numbered(1, Severity::low));
    sink.on_finding(numbered(2, Severity::critical));
    sink.on_finding(numbered(3, Severity::low));
    sink.on_finding(numbered(4, Severity::info));
    sink.on_finding(numbered(5, Severity::high)); // 4 goes
    sink.on_finding(numbered(6, Severity::high)); // 3 goes
    sink.on_finding(numbered(7, Severity::info)); // itself
    CHECK(sink.counters().queued == 4);
    CHECK(sink.counters().dropped == 3);
    Receiver receiver(s.options.socket);
    CHECK(sink.drain(1000) == 0);
    CHECK(names(receiver.read()) ==
          Strings{"1", "2",
                  R"({"schema":"luatrail/dropped/1","dropped":{"info":2,"low":1,"medium":0,"high":0,"critical":0},)"
                  R"("first":"1970-01-01T00:00:00.003Z","last":"1970-01-01T00:00:00.007Z"})",
                  "5", "6"});
    CHECK(sink.counters().sent == 4);
    sink.on_finding(numbered(8));
    CHECK(names(receiver.read()) == Strings{"8"}); // the summary came once
}

TEST_CASE("the queue is bounded in bytes, too") {
    Setting s;
    s.options.queue_bytes = 20'000;
    auto sink = s.sink();
    for (int number = 0; number < 100; ++number) {
        sink.on_finding(numbered(number));
    }
    const auto each = s.line(numbered(50)).size();
    CHECK(sink.counters().queued <= 20'000 / (each - 1));
    CHECK(sink.counters().queued >= 20'000 / (each + 1) - 1);
    CHECK(sink.counters().queued + sink.counters().dropped == 100);
}

TEST_CASE("draining ends in time, whatever the socket does, and says what remains") {
    Setting s;
    auto sink = s.sink();
    sink.on_finding(numbered(1));
    const auto before = Clock::now();
    CHECK(sink.drain(100) == 1); // no socket
    CHECK(Clock::now() - before >= 100ms);
    CHECK(Clock::now() - before < 1s);

    Receiver receiver(s.options.socket);
    for (int number = 2; sink.counters().queued < 5; ++number) {
        sink.on_finding(numbered(number));
        sink.drain(0);
    }
    const auto again = Clock::now();
    CHECK(sink.drain(100) >= 5); // nobody reads
    CHECK(Clock::now() - again < 1s);
}

TEST_CASE("a message that the socket can't take is dropped and told of, and the next one goes on") {
    Setting s;
    Receiver receiver(s.options.socket);
    s.options.format.max_bytes = 10'000'000;
    auto sink = s.sink();
    auto large = test::bare();
    large.code.inline_text = std::string(1'000'000, 'x'); // more than net.core.wmem_default
    sink.on_finding(large);
    sink.on_finding(numbered(2));
    CHECK(sink.counters().sent == 1);
    CHECK(sink.counters().dropped == 1);
    REQUIRE(s.log.size() == 1);
    CHECK(s.log[0].find("refuses a message of 100") != std::string::npos);
    const auto got = names(receiver.read());
    REQUIRE(got.size() == 2);
    CHECK(got[0].find(R"("info":1)") != std::string::npos);
    CHECK(got[1] == "2");
}

TEST_CASE("a sink may go while its timers and the socket still wait") {
    Setting s;
    {
        auto sink = s.sink();
        sink.on_finding(numbered(1));
    }
    s.run(200ms);
    Receiver receiver(s.options.socket);
    {
        auto sink = s.sink();
        while (sink.counters().queued < 2) {
            sink.on_finding(numbered(1));
        }
    }
    receiver.read();
    s.run(50ms);
    CHECK(receiver.read().empty());
}

TEST_CASE("a path that no socket can have is refused at once") {
    Setting s;
    for (const auto& path : {std::string(), "/" + std::string(107, 'x')}) {
        s.options.socket = path;
        CHECK_THROWS_AS(s.sink(), base::Error);
    }
}
