// luatrail plugin: one loop of auditd's records on standard input, a timer, signals, and the syslog socket.
//
// auditd stalls the machine when a plugin is slow: standard input is always drained, and nothing here waits for syslog.
#include "luatrail/plugin/plugin.hpp"

#include <array>
#include <chrono>
#include <csignal>

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "luatrail/base/clock.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/host/running.hpp"
#include "luatrail/setup/options.hpp"
#include "plugin/call_filter.hpp"
#include "plugin/detection.hpp"
#include "plugin/evidence_sink.hpp"
#include "plugin/file_writer.hpp"
#include "plugin/hand_over.hpp"
#include "plugin/helper.hpp"
#include "plugin/input.hpp"
#include "plugin/inventory_watch.hpp"
#include "plugin/kernel_poll.hpp"
#include "plugin/privileges.hpp"
#include "plugin/state_file.hpp"
#include "plugin/timers.hpp"
#include "plugin/write_limits.hpp"

namespace luatrail::plugin {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::int64_t age_every_ms = 1000; // libauparse counts in seconds
constexpr std::int64_t inventory_every_ms = 5000;
constexpr auto signal_turn = std::chrono::milliseconds(20);
constexpr auto lock_patience = std::chrono::milliseconds(5000); // with a former plugin that still saves
constexpr auto disk_patience = std::chrono::milliseconds(2000);

class Plugin {
  public:
    // `given`: without its file there is nothing to run with; otherwise the defaults do.
    Plugin(std::string config_path, bool given)
        : config_path_(std::move(config_path)), config_(initial_config(config_path_, given)),
          state_(config_.state.directory), detection_(io_, config_) {}

    int run() {
        unblock_signals();
        state_.lock(lock_patience);
        running_ = host::running_processes(); // with root's eyes
        give_up_privileges();
        load_state();
        inventory_.know(config_.detect.inventory);
        signals_.async_wait([this](const error_code& error, int number) { on_signal(error, number); });
        limit_calls();
        set_timers();
        input_.start();
        io_.run();
        return finish();
    }

  private:
    // auditd starts a plugin again from within its event handling, with SIGHUP and SIGTERM blocked (seen with 3.0.9).
    static void unblock_signals() {
        sigset_t none;
        ::sigemptyset(&none);
        ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    }

    // Each step needs what the next takes away. What comes from outside is read behind them: records, and the state,
    // which is written by whom the records are read by.
    void give_up_privileges() {
        auto choice = choose_account(config_.privileges.user);
        WritePlaces places;
        if (::geteuid() != 0) {
            places = write_places(config_);
        } else {
            auto handed = hand_over(config_, choice.account.value_or(Account{"root", 0, 0}));
            if (!handed.trouble.empty()) {
                choice = {std::nullopt, handed.trouble};
                handed = hand_over(config_, {"root", 0, 0});
            }
            places = std::move(handed.places);
        }
        if (config_.live.look_ups) {
            look_ups_ = start_look_ups(choice.account, config_.privileges.seccomp);
            detection_.output().look_up_with(*look_ups_);
        }
        if (config_.live.kernel_state) {
            kernel_.open(choice.account, config_.privileges.seccomp);
        }
        if (const auto failed = become(choice.account, {})) {
            choice.why = *failed;
        }
        if (!choice.why.empty()) {
            tell_that_it_stays(choice.why);
        }
        standing_.user = own_name();
        standing_.landlock = limit_writes(places);
    }

    void tell_that_it_stays(const std::string& why) {
        report::Notice notice;
        notice.kind = "stays-root";
        notice.time_ms = base::wall_clock_ms();
        notice.text = fmt::format("the plugin reads records as root: {}", why);
        notice.remedy = "luatrail's packages make the user luatrail (useradd --system luatrail does, too), or say "
                        "privileges.user = \"root\"; then restart auditd";
        detection_.tell(notice);
    }

    // Behind the start of the last thread.
    void limit_calls() {
        files_.start();
        if (config_.privileges.seccomp) {
            standing_.seccomp = filter_calls(Calls::plugin);
            if (!standing_.seccomp) {
                base::say("the filter of system calls could not be set up; the plugin runs without one");
            }
        }
    }

    // What was known at the end of the last run, and what runs now.
    void load_state() {
        std::string complaint;
        detection_.begin(std::move(running_));
        if (const auto bytes = state_.load(complaint)) {
            try {
                base::Unpacker in(*bytes);
                detection_.load(in);
            } catch (const base::UnpackError& error) {
                state_.reject(error.what(), complaint);
            }
        }
        if (!complaint.empty()) {
            base::say(complaint);
        }
    }

    struct Known {
        const char* name;
        Helper* helper;
        bool told;
    };

    // Once a second: nobody can start it again.
    void look_after(Known& one) {
        if (one.helper == nullptr || one.told || one.helper->alive()) {
            return;
        }
        one.told = true;
        report::Notice notice;
        notice.kind = "helper-ended";
        notice.time_ms = base::wall_clock_ms();
        notice.text = fmt::format("the plugin's child process for {} has ended", one.name);
        notice.remedy = "the plugin goes on without it, and may not start it again; restart auditd";
        detection_.tell(notice);
    }

    std::string packed_state() const {
        base::Packer out;
        detection_.save(out);
        return out.take();
    }

    Status current_status(bool ended) {
        Status now;
        now.version = LUATRAIL_VERSION;
        now.config = config_path_;
        now.pid = static_cast<std::uint32_t>(::getpid());
        now.started_ms = started_ms_;
        now.written_ms = base::wall_clock_ms();
        now.every_ms = config_.status.every_ms;
        now.ended = ended;
        now.memory_limit = config_.engine.memory_bytes;
        now.resident = resident_bytes();
        now.standing = standing_;
        for (auto& one : helpers_) {
            if (one.helper != nullptr) {
                now.helpers.emplace_back(one.name, one.helper->alive());
            }
        }
        detection_.fill(now);
        return now;
    }

    void set_timers() {
        helpers_ = {{{"look_ups", look_ups_.get(), false}, {"kernel_state", kernel_.helper(), false}}};
        timers_.every(0, true, [this] {
            detection_.tick();
            return true;
        });
        timers_.every(age_every_ms, true, [this] {
            if (detection_.knows_node()) {
                kernel_.ask();
            }
            detection_.age();
            for (auto& one : helpers_) {
                look_after(one);
            }
            return true;
        });
        save_timer_ =
            &timers_.every(config_.state.save_ms, false, [this] { return files_.begin_state(state_, packed_state()); });
        timers_.every(inventory_every_ms, false, [this] {
            look_at_inventory();
            return true;
        });
        status_timer_ = &timers_.every(config_.status.every_ms, true,
                                       [this] { return files_.begin_status(config_.status, current_status(false)); });
        timers_.start();
    }

    void end_of_input(Input::End end, const std::string& why) {
        if (end == Input::End::binary) {
            base::say(
                "standard input: auditd's binary protocol; write \"format = string\" in plugins.d/luatrail.conf, and "
                "restart auditd");
            status_ = base::exit_trouble;
            stop();
            return;
        }
        if (end == Input::End::trouble) {
            base::say(fmt::format("standard input: {}; stopping", why));
        }
        // auditd sends SIGTERM and closes the pipe at once: the signal, which says that all goes on later, gets its
        // turn.
        end_timer_.expires_after(signal_turn);
        end_timer_.async_wait([this](const error_code& error) {
            if (!error) {
                stop();
            }
        });
    }

    // Packages come and go: whoever builds the inventory anew puts it in the old one's place, whole. The old facts stay
    // when the new file is wrong.
    void look_at_inventory() {
        const auto& path = config_.detect.inventory;
        try {
            if (inventory_.changed(path)) {
                detection_.set_inventory(setup::load_inventory(config_));
            } else if (inventory_.went_stale()) {
                base::say(fmt::format(
                    "{}: older than the package database; build it again with `luatrail inventory build`", path));
            }
        } catch (const base::Error& error) {
            base::say(fmt::format("{}; the old inventory stays in force", error.what()));
        }
        if (inventory_.software_changed(detection_.software_updates()) && !path.empty()) {
            files_.begin_wish(path);
        }
    }

    void on_signal(const error_code& error, int number) {
        if (error) {
            return;
        }
        if (number == SIGHUP) {
            reload();
            signals_.async_wait([this](const error_code& again, int next) { on_signal(again, next); });
            return;
        }
        input_.close_and_drain();
        goes_on_ = true;
        stop();
    }

    // The old configuration stays when the new one is wrong. Where it may write was settled at its start.
    void reload() {
        try {
            auto config = setup::load_config(config_path_);
            const bool later =
                config.engine.memory_bytes != config_.engine.memory_bytes || !(config.live == config_.live) ||
                !(config.privileges == config_.privileges) || config.state.directory != config_.state.directory ||
                config.status.file != config_.status.file || config.status.prometheus != config_.status.prometheus;
            detection_.apply(config);
            inventory_.know(config.detect.inventory);
            save_timer_->set(config.state.save_ms, false);
            status_timer_->set(config.status.every_ms, true);
            config.state.directory = config_.state.directory;
            config.status.file = config_.status.file;
            config.status.prometheus = config_.status.prometheus;
            config_ = config;
            base::say(fmt::format("{}: reloaded{}", config_path_,
                                  later ? "; what it changes of engine.memory, state.directory, status.file, "
                                          "status.prometheus, [live] and [privileges] counts from the next start"
                                        : ""));
        } catch (const base::Error& error) {
            base::say(fmt::format("{}{}; the old configuration stays in force", error.what(), unreadable()));
        }
    }

    // Where the reason may be that this user, unlike the one that started, may not read.
    std::string unreadable() const {
        auto paths = config_.detect.baseline;
        paths.insert(paths.end(), config_.detect.profiles.begin(), config_.detect.profiles.end());
        paths.insert(paths.end(), {config_path_, config_.detect.inventory});
        for (const auto& path : paths) {
            if (setup::may_not_read(path)) {
                return fmt::format(" ({} may not read {}: the plugin runs as that user; make it readable, or restart "
                                   "auditd)",
                                   standing_.user, path);
            }
        }
        return "";
    }

    void stop() {
        error_code ignored;
        input_.stop();
        timers_.stop();
        end_timer_.cancel();
        signals_.cancel(ignored);
        kernel_.close();
        io_.stop();
    }

    int finish() {
        if (const auto left = detection_.finish(goes_on_); left > 0) {
            base::say(fmt::format(
                "{} messages could not be handed to syslog before the end; they are kept for the next start", left));
        }
        if (const auto syslog = detection_.output().syslog(); syslog && syslog->dropped > 0) {
            base::say(
                fmt::format("{} findings were dropped while syslog took none; raise limits.queue", syslog->dropped));
        }
        if (!files_.wait(disk_patience)) {
            base::say(fmt::format("{}: the disk does not answer; what is known now is lost", state_.path()));
            return base::exit_clean;
        }
        if (!files_.write_last(state_, packed_state(), config_.status, current_status(true)) && goes_on_) {
            detection_.give_up_the_rest(); // nobody will go on with it
        }
        return status_;
    }

    static setup::Config initial_config(const std::string& path, bool given) {
        return given || ::access(path.c_str(), F_OK) == 0 ? setup::load_config(path) : setup::Config{};
    }

    asio::io_context io_{1};
    // Before everything that takes its time: auditd's SIGTERM or SIGHUP may come while we still start.
    asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    const std::int64_t started_ms_ = base::wall_clock_ms();
    std::string config_path_;
    setup::Config config_;
    StateFile state_;
    Detection detection_;
    std::vector<host::RunningProcess> running_; // until the state is loaded
    std::unique_ptr<Helper> look_ups_;
    KernelPoll kernel_{io_, [this](const rules::KernelStatus& status) { detection_.kernel_said(status); }};
    Input input_{io_, [this](std::string_view bytes) { detection_.feed(bytes); },
                 [this](Input::End end, const std::string& why) { end_of_input(end, why); }};
    std::array<Known, 2> helpers_{};
    Standing standing_;
    InventoryWatch inventory_;
    FileWriter files_;
    asio::steady_timer end_timer_{io_};
    int status_ = base::exit_clean;
    bool goes_on_ = false; // ended by a signal: auditd, or its plugin, is started again

    Timers timers_{io_};
    Timers::Timer* save_timer_ = nullptr;
    Timers::Timer* status_timer_ = nullptr;
};

} // namespace

int run_plugin(const std::string& config_path, bool given) {
    return Plugin(config_path, given).run();
}

} // namespace luatrail::plugin
