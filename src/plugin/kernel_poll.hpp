// The kernel's audit state, asked from within the plugin's loop.
#pragma once

#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "luatrail/rules/kernel_watch.hpp"

namespace luatrail::plugin {

class KernelPoll {
  public:
    using Take = std::function<void(const rules::KernelStatus&)>;
    KernelPoll(boost::asio::io_context& io, Take take) : answers_(io), take_(std::move(take)) {}

    // Before capabilities and system calls are given up. False when there is nothing to ask, or nobody may.
    bool open();
    // The answer comes with the loop. After a refusal nothing is asked any more.
    void ask();
    void close();

  private:
    void wait();

    std::optional<rules::KernelWatch> watch_;
    boost::asio::posix::stream_descriptor answers_;
    Take take_;
};

} // namespace luatrail::plugin
