// The kernel's audit state, asked from within the plugin's loop: by a child process, which alone may ask.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "luatrail/rules/host_checks.hpp"
#include "plugin/helper.hpp"

namespace luatrail::plugin {

class KernelPoll {
  public:
    using Take = std::function<void(const rules::KernelStatus&)>;
    KernelPoll(boost::asio::io_context& io, Take take) : answers_(io), take_(std::move(take)) {}

    // Starts the child: as root, before any thread. Nothing is asked where there is nothing to ask, or nobody may.
    void open(const std::optional<Account>& account, bool filter);
    // The answer comes with the loop.
    void ask();
    void close();
    Helper* helper() { return helper_.get(); } // null: nothing is asked

  private:
    void wait();

    std::unique_ptr<Helper> helper_;
    boost::asio::posix::stream_descriptor answers_;
    Take take_;
};

} // namespace luatrail::plugin
