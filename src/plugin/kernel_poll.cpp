#include "plugin/kernel_poll.hpp"

#include <chrono>
#include <string>

#include <linux/capability.h>
#include <poll.h>
#include <unistd.h>

#include "luatrail/base/error.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/rules/kernel_watch.hpp"

namespace luatrail::plugin {
namespace {

template <class Archive>
void transfer_status(Archive& archive, rules::KernelStatus& status) {
    archive(status.enabled, status.failure, status.pid, status.rate_limit, status.backlog_limit, status.lost,
            status.backlog);
}

// In the child: empty where the kernel gave no answer.
std::string asked_now(rules::KernelWatch& watch) {
    constexpr int patience_ms = 500;
    if (watch.ask()) {
        return {};
    }
    pollfd ready{watch.fd(), POLLIN, 0};
    ::poll(&ready, 1, patience_ms);
    auto status = watch.answer();
    if (!status) {
        return {};
    }
    base::Packer out;
    transfer_status(out, *status);
    return out.take();
}

} // namespace

void KernelPoll::open(const std::optional<Account>& account, bool filter) {
    std::shared_ptr<rules::KernelWatch> watch;
    try {
        watch = std::make_shared<rules::KernelWatch>();
    } catch (const base::Error&) {
        return;
    }
    if (asked_now(*watch).empty()) { // an ordinary user, or a container
        return;
    }
    Helper::Task task{"luatrail-kernel", {CAP_AUDIT_CONTROL}, Calls::kernel_state, true, filter, watch->fd(), {}};
    task.answer = [watch](std::string_view) { return asked_now(*watch); };
    helper_ = std::make_unique<Helper>(task, account);
    boost::system::error_code error;
    answers_.assign(::dup(helper_->fd()), error);
    if (!error) {
        wait();
    }
}

void KernelPoll::wait() {
    answers_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const auto& error) {
        if (error || !helper_->alive()) {
            return;
        }
        if (const auto bytes = helper_->answer(std::chrono::milliseconds(0)); bytes && !bytes->empty()) {
            try {
                rules::KernelStatus status;
                base::Unpacker in(*bytes);
                transfer_status(in, status);
                take_(status);
            } catch (const base::UnpackError&) { // as if none had come
            }
        }
        wait();
    });
}

void KernelPoll::ask() {
    if (helper_) {
        helper_->ask({});
    }
}

void KernelPoll::close() {
    boost::system::error_code ignored;
    answers_.close(ignored);
}

} // namespace luatrail::plugin
