#include "luatrail/report/syslog_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <poll.h>

#include "luatrail/base/pack.hpp"
#include "luatrail/base/text.hpp"
#include "report/local_socket.hpp"
#include "report/severity_queue.hpp"

namespace luatrail::report {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_retry = 100ms;
constexpr milliseconds longest_retry = 10s;
// A writable socket wakes us; this is for the reader that takes its socket away while we wait for room.
constexpr milliseconds look_again = 500ms;

} // namespace

struct SyslogSink::Impl {
    Impl(asio::io_context& io, SyslogOptions given, std::function<void(const std::string&)> told)
        : options(std::move(given)), log(std::move(told)), socket(options.socket), descriptor(io), timer(io),
          queue(options.queue, options.queue_bytes) {
        if (!log) {
            log = [](const std::string&) {};
        }
    }
    ~Impl() { disconnect(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void enqueue(Message message);
    void lose(const Message& message);
    void pump();
    bool connect();
    void disconnect();
    void broken(int error);
    void delivered();
    void wait_until_writable();
    void stop_waiting();
    void wait_for(milliseconds delay);
    LocalSocket::Sent send_next();
    LocalSocket::Sent send_lost();
    void wait_in_drain(Clock::time_point deadline) const;

    bool summary_due() const { return any_lost && queue.size() <= queue.capacity() / 2; }
    bool idle() const { return !partial && queue.empty() && !summary_due(); }
    void count_queued() { counters.queued = queue.size() + (partial && partial_is_finding ? 1 : 0); }

    SyslogOptions options;
    std::function<void(const std::string&)> log;
    LocalSocket socket;
    asio::posix::stream_descriptor descriptor; // borrows the socket's descriptor, to be woken when it is writable
    asio::steady_timer timer;
    SeverityQueue queue;
    std::optional<std::string> partial; // a stream took its beginning, so it can no longer be dropped
    bool partial_is_finding = false;
    LostFindings lost;
    bool any_lost = false;
    SyslogCounters counters;
    milliseconds retry = first_retry;
    bool tried = false;                                    // a connection was attempted before
    bool failing = false;                                  // reported to `log`
    bool dropping = false;                                 // reported to `log`, until the summary of it is sent
    bool waiting = false;                                  // for the socket or the timer: no use in trying before
    std::uint64_t waits = 0;                               // distinguishes an outdated wake-up from the current one
    std::shared_ptr<int> alive = std::make_shared<int>(0); // handlers may run after us
};

void SyslogSink::Impl::lose(const Message& message) {
    if (!message.finding) {
        return;
    }
    ++counters.dropped;
    ++lost.by_severity.at(static_cast<std::size_t>(message.severity));
    lost.first_ms = any_lost ? std::min(lost.first_ms, message.time_ms) : message.time_ms;
    lost.last_ms = any_lost ? std::max(lost.last_ms, message.time_ms) : message.time_ms;
    any_lost = true;
}

void SyslogSink::Impl::enqueue(Message message) {
    for (const auto& gone : queue.push(std::move(message))) {
        lose(gone);
        if (!std::exchange(dropping, true)) {
            log(fmt::format("syslog: {}: takes no more, and {} findings wait; the least severe are dropped and counted",
                            base::printable(options.socket), queue.size()));
        }
    }
    if (!waiting) {
        pump();
    }
    count_queued();
}

// Sends until nothing is left or the socket takes no more. A connection that turns out to be dead is replaced once:
// that is what a restarted syslog daemon looks like.
void SyslogSink::Impl::pump() {
    bool replaced = false;
    while (!idle()) {
        if (!socket.is_open() && !connect()) {
            break;
        }
        switch (send_next()) {
        case LocalSocket::Sent::whole:
            delivered();
            break;
        case LocalSocket::Sent::partly:
        case LocalSocket::Sent::later:
            wait_until_writable();
            return;
        case LocalSocket::Sent::too_big:
            break; // it is counted, and no longer in the queue
        case LocalSocket::Sent::lost:
            disconnect();
            if (std::exchange(replaced, true)) {
                broken(socket.error());
                return;
            }
            break;
        }
    }
    count_queued();
}

bool SyslogSink::Impl::connect() {
    const int error = socket.open();
    if (error != 0) {
        tried = true;
        broken(error);
        return false;
    }
    counters.reconnects += std::exchange(tried, true) ? 1 : 0;
    boost::system::error_code ignored; // without the wake-up, the timer still looks again
    descriptor.assign(socket.fd(), ignored);
    return true;
}

void SyslogSink::Impl::stop_waiting() {
    if (std::exchange(waiting, false)) {
        ++waits;
        boost::system::error_code ignored;
        descriptor.cancel(ignored); // it may be closed
        timer.cancel();
    }
}

void SyslogSink::Impl::disconnect() {
    stop_waiting();
    if (descriptor.is_open()) {
        descriptor.release();
    }
    socket.close();
}

void SyslogSink::Impl::broken(int error) {
    if (!std::exchange(failing, true)) {
        log(fmt::format("syslog: {}: {}; findings wait (up to {}) and are sent when it is back",
                        base::printable(options.socket), std::generic_category().message(error), options.queue));
    }
    wait_for(retry);
    retry = std::min(retry * 2, longest_retry);
}

void SyslogSink::Impl::delivered() {
    retry = first_retry;
    stop_waiting(); // drain sends while a wait is on
    dropping = dropping && any_lost;
    if (std::exchange(failing, false)) {
        log(fmt::format("syslog: {}: takes messages again; {} findings waited, {} were dropped so far",
                        base::printable(options.socket), queue.size() + 1, counters.dropped));
    }
}

LocalSocket::Sent SyslogSink::Impl::send_lost() {
    std::string text = to_syslog(lost, options.format);
    const auto result = socket.send(text);
    if (result == LocalSocket::Sent::later || result == LocalSocket::Sent::lost) {
        return result;
    }
    lost = {};
    any_lost = false;
    if (result == LocalSocket::Sent::partly) {
        partial = std::move(text);
        partial_is_finding = false;
    }
    return result;
}

LocalSocket::Sent SyslogSink::Impl::send_next() {
    using Sent = LocalSocket::Sent;
    if (partial) {
        const auto result = socket.send(*partial);
        if (result == Sent::whole) {
            partial.reset();
            counters.sent += partial_is_finding ? 1 : 0;
        }
        return result;
    }
    if (summary_due()) {
        return send_lost();
    }
    const auto result = socket.send(queue.front().text);
    if (result == Sent::whole) {
        counters.sent += queue.pop().finding ? 1 : 0;
    } else if (result == Sent::partly) {
        auto begun = queue.pop();
        partial = std::move(begun.text);
        partial_is_finding = begun.finding;
    } else if (result == Sent::too_big) {
        const auto refused = queue.pop();
        lose(refused);
        log(fmt::format("syslog: {}: refuses a message of {} bytes; lower syslog.max_bytes",
                        base::printable(options.socket), refused.text.size()));
    }
    return result;
}

void SyslogSink::Impl::wait_until_writable() {
    wait_for(look_again);
    if (!descriptor.is_open()) {
        return;
    }
    descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                          [this, current = waits, still = std::weak_ptr<int>(alive)](const auto& error) {
                              if (!error && !still.expired() && current == waits) {
                                  stop_waiting();
                                  pump();
                              }
                          });
}

void SyslogSink::Impl::wait_for(milliseconds delay) {
    waiting = true;
    const auto current = ++waits;
    timer.expires_after(delay);
    timer.async_wait([this, current, still = std::weak_ptr<int>(alive)](const auto& error) {
        if (!error && !still.expired() && current == waits) {
            stop_waiting();
            pump();
        }
    });
    count_queued();
}

// The event loop does not run any more: waits as it would, but never beyond the deadline.
void SyslogSink::Impl::wait_in_drain(Clock::time_point deadline) const {
    constexpr milliseconds step = 10ms;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    const auto delay = std::clamp(left, 0ms, step);
    if (!socket.is_open()) {
        std::this_thread::sleep_for(delay);
        return;
    }
    pollfd wanted{socket.fd(), POLLOUT, 0};
    ::poll(&wanted, 1, static_cast<int>(delay.count()));
}

SyslogSink::SyslogSink(asio::io_context& io, SyslogOptions options, std::function<void(const std::string&)> log)
    : impl_(std::make_unique<Impl>(io, std::move(options), std::move(log))) {}

SyslogSink::~SyslogSink() = default;

void SyslogSink::on_finding(const detect::Finding& finding) {
    impl_->enqueue({finding.severity, finding.time_ms, to_syslog(finding, impl_->options.format), true});
}

void SyslogSink::notify(const Notice& notice) {
    impl_->enqueue({detect::Severity::medium, notice.time_ms, to_syslog(notice, impl_->options.format), false});
}

std::size_t SyslogSink::drain(int ms) {
    const auto deadline = Clock::now() + milliseconds(std::max(ms, 0));
    impl_->pump();
    while (!impl_->idle() && Clock::now() < deadline) {
        impl_->wait_in_drain(deadline);
        impl_->pump();
    }
    return impl_->counters.queued;
}

void SyslogSink::save(base::Packer& out) const {
    const auto messages = impl_->queue.all();
    out.number(messages.size());
    for (const auto* message : messages) {
        out(message->severity, message->time_ms, message->text, message->finding);
    }
}

void SyslogSink::load(base::Unpacker& in) {
    for (auto left = in.size(); left > 0; --left) {
        Message message;
        in(message.severity, message.time_ms, message.text, message.finding);
        if (message.severity > detect::Severity::critical) {
            throw base::UnpackError("a message has no severity");
        }
        impl_->enqueue(std::move(message));
    }
}

const SyslogCounters& SyslogSink::counters() const {
    return impl_->counters;
}

} // namespace luatrail::report
