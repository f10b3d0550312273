#include "plugin/worker.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace luatrail::plugin {

struct Worker::Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> job;
    bool busy = false, ending = false;

    void run() {
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [this] { return job || ending; });
            if (!job) {
                return;
            }
            auto mine = std::exchange(job, nullptr);
            lock.unlock();
            mine();
            mine = nullptr; // what it owns goes before anybody hears of it
            lock.lock();
            busy = false;
            changed.notify_all();
        }
    }
};

Worker::Worker() : shared_(std::make_shared<Shared>()) {
    std::thread([shared = shared_] { shared->run(); }).detach();
}

Worker::~Worker() {
    wait(std::chrono::seconds(1));
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    shared_->changed.notify_all();
}

bool Worker::busy() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->busy;
}

bool Worker::start(std::function<void()> job) {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->busy) {
        return false;
    }
    shared_->job = std::move(job);
    shared_->busy = true;
    shared_->changed.notify_all();
    return true;
}

bool Worker::wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, patience, [this] { return !shared_->busy; });
}

} // namespace luatrail::plugin
