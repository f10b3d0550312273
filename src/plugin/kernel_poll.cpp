#include "plugin/kernel_poll.hpp"

#include <unistd.h>

#include "luatrail/base/error.hpp"

namespace luatrail::plugin {

bool KernelPoll::open() {
    try {
        watch_.emplace();
    } catch (const base::Error&) {
        return false;
    }
    boost::system::error_code error;
    answers_.assign(::dup(watch_->fd()), error);
    if (error || watch_->ask()) { // an ordinary user, or a container
        close();
        return false;
    }
    wait();
    return true;
}

void KernelPoll::wait() {
    answers_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const auto& error) {
        if (error || !watch_) {
            return;
        }
        if (const auto status = watch_->answer()) {
            take_(*status);
        }
        wait();
    });
}

void KernelPoll::ask() {
    if (watch_ && watch_->ask()) {
        close();
    }
}

void KernelPoll::close() {
    boost::system::error_code ignored;
    answers_.close(ignored);
    watch_.reset();
}

} // namespace luatrail::plugin
