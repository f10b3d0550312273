// What the plugin does again and again, within its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <list>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace luatrail::plugin {

class Timers {
  public:
    // False: it could not be done; the next turn, a quarter of a second later, tries again.
    using Job = std::function<bool()>;

    class Timer {
      public:
        Timer(std::int64_t every_ms, std::int64_t next_ms, Job job)
            : every_ms_(every_ms), next_ms_(next_ms), job_(std::move(job)) {}
        // From now on so often, the next time at once or after one such time at the latest.
        void set(std::int64_t every_ms, bool at_once);

      private:
        friend class Timers;
        std::int64_t every_ms_, next_ms_;
        Job job_;
    };

    explicit Timers(boost::asio::io_context& io) : timer_(io) {}

    // The first time at once or after one such time; in the order in which they were added. 0: each turn.
    Timer& every(std::int64_t ms, bool at_once, Job job);
    void start();
    void stop();

  private:
    void turn();

    boost::asio::steady_timer timer_;
    std::list<Timer> timers_;
};

} // namespace luatrail::plugin
