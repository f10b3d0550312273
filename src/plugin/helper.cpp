#include "plugin/helper.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "luatrail/base/console.hpp"
#include "luatrail/base/pack.hpp"
#include "plugin/write_limits.hpp"

namespace luatrail::plugin {
namespace {

constexpr auto start_patience = std::chrono::milliseconds(5000);

std::string message_of(std::uint64_t number, std::string_view body) {
    base::Packer out;
    out.number(number);
    out(std::string(body));
    return out.take();
}

// What auditd gave the plugin is the plugin's alone: held open here as well, it would outlive it.
void close_all_but(int one, int other) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    unsigned first = STDERR_FILENO + 1;
    const auto close_before = [&first](unsigned next) {
        if (first < next && ::syscall(SYS_close_range, first, next - 1, 0) != 0) { // Linux 5.9
            for (auto fd = first; fd < next && fd < 4096; ++fd) {
                ::close(static_cast<int>(fd));
            }
        }
        first = next + 1;
    };
    for (const int kept : {std::min(one, other), std::max(one, other)}) {
        if (kept >= 0) {
            close_before(static_cast<unsigned>(kept));
        }
    }
    close_before(UINT_MAX);
}

void answer_questions(const Helper::Task& task, int socket) {
    std::string buffer(most_message, '\0');
    const auto ready = message_of(0, {}); // it holds what it should hold, and no more
    ::send(socket, ready.data(), ready.size(), MSG_NOSIGNAL);
    for (;;) {
        const auto size = ::recv(socket, buffer.data(), buffer.size(), MSG_TRUNC);
        if (size <= 0 || static_cast<std::size_t>(size) > buffer.size()) {
            return; // the parent has ended
        }
        base::Unpacker in(std::string_view(buffer).substr(0, static_cast<std::size_t>(size)));
        const auto number = in.number();
        std::string question;
        in(question);
        const auto answer = message_of(number, task.answer(question));
        if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) {
            return;
        }
    }
}

[[noreturn]] void run_child(const Helper::Task& task, const std::optional<Account>& account, int socket) {
    for (const int ignored : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) { // its end is its parent's end
        ::signal(ignored, SIG_IGN);
    }
    ::prctl(PR_SET_NAME, task.name);
    close_all_but(socket, task.also);
    if (const auto failed = become(account, task.capabilities)) {
        base::say(fmt::format("{}: {}", task.name, *failed));
        ::_exit(base::exit_trouble);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // also while a slow file holds it up
    if (task.landlock) {
        limit_writes({});
    }
    if (task.filter && !filter_calls(task.calls)) {
        base::say(fmt::format("{}: the filter of system calls could not be set up", task.name));
        ::_exit(base::exit_trouble);
    }
    try {
        answer_questions(task, socket);
    } catch (const std::exception& error) {
        base::say(fmt::format("{}: {}", task.name, error.what()));
    }
    ::_exit(base::exit_clean);
}

} // namespace

Helper::Helper(const Task& task, const std::optional<Account>& account) : socket_(-1), ended_(true) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return;
    }
    ::signal(SIGCHLD, SIG_IGN); // nobody waits for it
    const auto child = ::fork();
    if (child == 0) {
        run_child(task, account, ends[1]);
    }
    ::close(ends[1]);
    socket_.reset(ends[0]);
    ended_ = child < 0;
    waiting_ = true;
    ended_ = !answer(start_patience) || ended_;
    waiting_ = false;
}

// Takes what has come.
void Helper::settle(std::chrono::milliseconds patience) {
    std::string buffer;
    while (waiting_ && !ended_) {
        pollfd ready{socket_.get(), POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) {
            return;
        }
        buffer.resize(most_message);
        const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
        ended_ = size <= 0 || static_cast<std::size_t>(size) > buffer.size();
        if (ended_) {
            return;
        }
        try {
            base::Unpacker in(std::string_view(buffer).substr(0, static_cast<std::size_t>(size)));
            const auto number = in.number();
            std::string body;
            in(body);
            if (number == asked_) {
                answer_ = std::move(body);
                waiting_ = false;
            }
        } catch (const base::UnpackError&) {
            ended_ = true; // whoever answers there is no helper of ours any more
        }
    }
}

bool Helper::alive() {
    settle(std::chrono::milliseconds(0));
    pollfd end{socket_.get(), 0, 0};
    ended_ = ended_ || (::poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)) != 0);
    return !ended_;
}

bool Helper::ask(std::string_view question) {
    settle(std::chrono::milliseconds(0));
    if (waiting_ || ended_) {
        return false;
    }
    answer_.reset();
    const auto message = message_of(++asked_, question);
    ended_ = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0;
    waiting_ = !ended_;
    return waiting_;
}

std::optional<std::string> Helper::answer(std::chrono::milliseconds patience) {
    settle(patience);
    return std::exchange(answer_, std::nullopt);
}

} // namespace luatrail::plugin
