// One thread for what may block: files on a slow disk, a path that leads into a dead mount.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace luatrail::plugin {

class Worker {
  public:
    Worker();
    // Waits for the job that runs, at most a second: a job that is stuck is left behind.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Whether a job still runs.
    bool busy() const;
    // Begins a job; it must own what it uses. False when another still runs.
    bool start(std::function<void()> job);
    // Until the job has ended; false when it has not after so long.
    bool wait(std::chrono::milliseconds patience);

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

} // namespace luatrail::plugin
