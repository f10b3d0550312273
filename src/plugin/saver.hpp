// Files that are written beside the plugin's loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "luatrail/base/console.hpp"
#include "plugin/worker.hpp"

namespace luatrail::plugin {

// The same complaint is not made again and again.
class Complaint {
  public:
    void take(const std::optional<std::string>& failed) {
        if (failed && failed != last_) {
            base::say(*failed);
        }
        last_ = failed;
    }
    bool failing() const { return last_.has_value(); }

  private:
    std::optional<std::string> last_;
};

// Starts a thread: behind become(), before filter_calls().
class Saver {
  public:
    using Job = std::function<std::optional<std::string>()>; // why it failed; owns what it uses

    // False when another still runs: a slow disk. `about` outlives the job.
    bool start(Complaint& about, Job job) {
        if (busy()) {
            return false;
        }
        result_ = std::make_shared<std::optional<std::string>>();
        about_ = &about;
        return worker_.start([result = result_, job = std::move(job)] { *result = job(); });
    }

    // Whether one runs; complains of the one that has ended.
    bool busy() {
        if (worker_.busy()) {
            return true;
        }
        if (result_) {
            about_->take(*result_);
            result_.reset();
        }
        return false;
    }

    // False when it has not ended after so long.
    bool wait(std::chrono::milliseconds patience) { return worker_.wait(patience) && !busy(); }

  private:
    Worker worker_;
    std::shared_ptr<std::optional<std::string>> result_;
    Complaint* about_ = nullptr;
};

} // namespace luatrail::plugin
