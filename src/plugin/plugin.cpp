// luatrail plugin: one loop of auditd's records on standard input, a timer, signals, and the syslog socket.
//
// auditd stalls the machine when a plugin is slow: standard input is always drained, and nothing here waits for syslog.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>

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
#include "luatrail/plugin/plugin.hpp"
#include "luatrail/plugin/status.hpp"
#include "luatrail/setup/options.hpp"
#include "luatrail/setup/pipeline.hpp"
#include "plugin/inventory_watch.hpp"
#include "plugin/kernel_poll.hpp"
#include "plugin/live_input.hpp"
#include "plugin/live_output.hpp"
#include "plugin/loss_watch.hpp"
#include "plugin/privileges.hpp"
#include "plugin/recent.hpp"
#include "plugin/saver.hpp"
#include "plugin/state_file.hpp"
#include "plugin/status_files.hpp"
#include "plugin/switch_watch.hpp"

namespace luatrail::plugin {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto tick_every = std::chrono::milliseconds(250);
constexpr std::int64_t age_every_ms = 1000; // libauparse counts in seconds
constexpr std::int64_t inventory_every_ms = 5000;
constexpr auto signal_turn = std::chrono::milliseconds(20);
constexpr int drain_ms = 2000;                                  // at the end: auditd kills a plugin that takes longer
constexpr auto lock_patience = std::chrono::milliseconds(5000); // with a former plugin that still saves
constexpr auto disk_patience = std::chrono::milliseconds(2000);

audit::AssemblerLimits live_limits() {
    audit::AssemblerLimits limits;
    limits.eager = true;
    limits.quiet_records = 64;
    return limits;
}

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

class Plugin : private audit::EventSink {
  public:
    // `given`: without its file there is nothing to run with; otherwise the defaults do.
    Plugin(std::string config_path, bool given)
        : config_path_(std::move(config_path)), config_(initial_config(config_path_, given)),
          state_(config_.state.directory), output_(io_, config_), engine_(setup::engine_options(config_), output_),
          pipeline_(live_pipeline(), *this, [this](std::string_view node) { engine_.note_loss(node); }) {}

    int run() {
        unblock_signals();
        inventory_.know(config_.detect.inventory);
        begin();
        signals_.async_wait([this](const error_code& error, int number) { on_signal(error, number); });
        give_up_privileges();
        schedule_tick();
        input_.start();
        io_.run();
        return finish();
    }

  private:
    setup::PipelineOptions live_pipeline() {
        setup::PipelineOptions options;
        options.parser = source::ParserKind::auparse;
        options.limits = live_limits();
        options.watch = [this](const audit::Record& record) {
            losses_.saw(record);
            switches_.saw(record);
            engine_.on_record(record);
        };
        return options;
    }

    // auditd starts a plugin again from within its event handling, with SIGHUP and SIGTERM blocked (seen with 3.0.9).
    static void unblock_signals() {
        sigset_t none;
        ::sigemptyset(&none);
        ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    }

    // Each step needs what the next takes away: capabilities, threads, system calls.
    void give_up_privileges() {
        const bool kernel = config_.live.kernel_state && kernel_.open();
        drop_capabilities({.look_ups = config_.live.look_ups, .kernel_state = kernel});
        if (config_.live.look_ups) {
            output_.start_look_ups();
        }
        saver_.emplace();
        prepare_status_folder(config_.status);
        if (config_.privileges.seccomp) {
            filter_calls();
        }
    }

    // What was known at the end of the last run, and what runs now.
    void begin() {
        pipeline_.assembler().tick(base::monotonic_ms()); // events age from now on
        std::string complaint;
        state_.lock(lock_patience);
        if (const auto bytes = state_.load(complaint)) {
            try {
                load_state(*bytes);
            } catch (const base::UnpackError& error) {
                state_.reject(error.what(), complaint);
            }
        }
        if (!complaint.empty()) {
            base::say(complaint);
        }
        running_ = host::running_processes();
        next_save_ms_ = base::monotonic_ms() + config_.state.save_ms;
    }

    void load_state(const std::string& bytes) {
        base::Unpacker in(bytes);
        std::string boot;
        in(boot);
        engine_.load(in);
        const bool same_boot = boot == boot_id();
        if (!same_boot) {
            engine_.begin_boot();
        }
        losses_.load(in, same_boot);
        if (!output_.load(in)) {
            return;
        }
        pipeline_.assembler().load(in);
        if (!in.at_end()) {
            throw base::UnpackError("there is more in it than there should be");
        }
    }

    std::string packed_state() const {
        base::Packer out;
        out(boot_id());
        engine_.save(out);
        losses_.save(out);
        output_.save(out);
        pipeline_.assembler().save(out);
        return out.take();
    }

    // Digest and disk take their time: the loop does not wait for them. False when the last ones still do.
    bool begin_save() {
        return saver_->start(state_trouble_,
                             [file = state_, bytes = packed_state()] { return file.save(bytes, false); });
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
        now.parsed = pipeline_.parsed();
        now.assembled = pipeline_.assembler().counters();
        now.in_flight = pipeline_.assembler().in_flight();
        now.engine = engine_.counters();
        now.memory = engine_.memory();
        now.memory_limit = config_.engine.memory_bytes;
        now.resident = resident_bytes();
        now.repeats = output_.repeats();
        now.syslog = output_.syslog();
        now.losses = losses_.counters();
        now.kernel = losses_.kernel();
        now.look_ups = output_.look_ups();
        now.lag = lag_;
        return now;
    }

    bool begin_status() {
        return saver_->start(status_trouble_, [config = config_.status, now = current_status(false)] {
            return write_status(config, now);
        });
    }

    // The first record names this host's node.
    void on_event(const audit::Event& event) override {
        const auto lag_ms = base::wall_clock_ms() - event.id.time_ms;
        if (is_recent(event.id.time_ms)) {
            lag_.add(lag_ms);
        }
        if (!running_.empty()) {
            const auto running = std::exchange(running_, {});
            if (is_recent(event.id.time_ms)) {
                engine_.seed(event.node, running, event.id);
            }
        }
        engine_.on_event(event);
        for (const auto& sighting : output_.take_sightings()) {
            if (sighting.content) {
                engine_.saw_content(sighting.finding, sighting.text);
            } else {
                engine_.saw_environment(sighting.finding, sighting.text);
            }
        }
    }

    void end_of_input(LiveInput::End end, const std::string& why) {
        if (end == LiveInput::End::binary) {
            base::say(
                "standard input: auditd's binary protocol; write \"format = string\" in plugins.d/luatrail.conf, and "
                "restart auditd");
            status_ = base::exit_trouble;
            stop();
            return;
        }
        if (end == LiveInput::End::trouble) {
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

    void schedule_tick() {
        timer_.expires_after(tick_every);
        timer_.async_wait([this](const error_code& error) {
            if (error) {
                return;
            }
            const auto now = base::monotonic_ms();
            pipeline_.assembler().tick(now);
            output_.tick();
            if (now - last_age_ms_ >= age_every_ms) {
                last_age_ms_ = now;
                pipeline_.parser().age();
                look_for_losses(now);
            }
            if (now >= next_save_ms_ && begin_save()) {
                next_save_ms_ = now + config_.state.save_ms;
            }
            if (now - last_inventory_ms_ >= inventory_every_ms) {
                last_inventory_ms_ = now;
                look_at_inventory();
            }
            if (now >= next_status_ms_ && begin_status()) {
                next_status_ms_ = now + config_.status.every_ms;
            }
            schedule_tick();
        });
    }

    // Packages come and go: whoever builds the inventory anew puts it in the old one's place, whole. The old facts stay
    // when the new file is wrong.
    void look_at_inventory() {
        const auto& path = config_.detect.inventory;
        try {
            if (inventory_.changed(path)) {
                engine_.set_inventory(setup::load_inventory(config_));
            } else if (inventory_.went_stale()) {
                base::say(fmt::format(
                    "{}: older than the package database; build it again with `luatrail inventory build`", path));
            }
        } catch (const base::Error& error) {
            base::say(fmt::format("{}; the old inventory stays in force", error.what()));
        }
        if (inventory_.software_changed(engine_.counters().software_updates) && !path.empty()) {
            saver_->start(inventory_trouble_, [path] { return want_inventory(path); });
        }
    }

    void look_for_losses(std::int64_t now) {
        if (!losses_.node()) {
            return; // no record of this host yet
        }
        kernel_.ask();
        switches_.settle(base::wall_clock_ms());
        if (losses_.settle()) {
            engine_.note_loss(*losses_.node());
        }
        const auto& assembled = pipeline_.assembler().counters();
        const auto syslog = output_.syslog();
        losses_.own_losses(assembled.evicted + assembled.trimmed, syslog ? syslog->dropped : 0);
        if (const auto notice = losses_.notice(now, base::wall_clock_ms())) {
            tell(*notice);
        }
    }

    void tell(const report::Notice& notice) {
        output_.notify(notice);
        base::say(fmt::format("{}; {}", notice.text, notice.remedy));
    }

    void on_kernel(const rules::KernelStatus& status) {
        if (losses_.kernel_said(status) && losses_.node()) {
            engine_.note_loss(*losses_.node());
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

    // The old configuration stays when the new one is wrong.
    void reload() {
        try {
            const auto config = setup::load_config(config_path_);
            auto options = setup::engine_options(config);
            output_.apply(config);
            engine_.set_options(std::move(options));
            inventory_.know(config.detect.inventory);
            if (config.state.directory != config_.state.directory) {
                state_ = StateFile(config.state.directory);
                state_.lock(std::chrono::milliseconds(0));
            }
            const auto now = base::monotonic_ms();
            next_save_ms_ = std::min(next_save_ms_, now + config.state.save_ms);
            next_status_ms_ = now;
            prepare_status_folder(config.status);
            const bool later = config.engine.memory_bytes != config_.engine.memory_bytes ||
                               !(config.live == config_.live) || !(config.privileges == config_.privileges);
            config_ = config;
            base::say(fmt::format(
                "{}: reloaded{}", config_path_,
                later ? "; what it changes of engine.memory, [live] and [privileges] counts from the next start" : ""));
        } catch (const base::Error& error) {
            base::say(fmt::format("{}; the old configuration stays in force", error.what()));
        }
    }

    void stop() {
        error_code ignored;
        input_.stop();
        timer_.cancel();
        end_timer_.cancel();
        signals_.cancel(ignored);
        kernel_.close();
        io_.stop();
    }

    int finish() {
        pipeline_.parser().finish();
        if (!goes_on_) { // else the rest of the events in flight comes to the next start
            pipeline_.assembler().flush();
        }
        output_.flush();
        if (const auto left = output_.drain(drain_ms); left > 0) {
            base::say(fmt::format(
                "{} messages could not be handed to syslog before the end; they are kept for the next start", left));
        }
        if (const auto syslog = output_.syslog(); syslog && syslog->dropped > 0) {
            base::say(
                fmt::format("{} findings were dropped while syslog took none; raise limits.queue", syslog->dropped));
        }
        if (!saver_->wait(disk_patience)) {
            base::say(fmt::format("{}: the disk does not answer; what is known now is lost", state_.path()));
            return base::exit_clean;
        }
        state_trouble_.take(state_.save(packed_state(), true));
        status_trouble_.take(write_status(config_.status, current_status(true)));
        if (state_trouble_.failing() && goes_on_) { // nobody will go on with them
            pipeline_.assembler().flush();
            output_.flush();
            output_.drain(drain_ms);
        }
        return status_;
    }

    static setup::Config initial_config(const std::string& path, bool given) {
        return given || ::access(path.c_str(), F_OK) == 0 ? setup::load_config(path) : setup::Config{};
    }

    asio::io_context io_{1};
    // Before everything that takes its time: auditd's SIGTERM or SIGHUP may come while we still start.
    asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    std::string config_path_;
    setup::Config config_;
    StateFile state_;
    LiveOutput output_;
    detect::Engine engine_;
    LossWatch losses_;
    SwitchWatch switches_{[this](const report::Notice& notice) { tell(notice); }};
    setup::Pipeline pipeline_;
    KernelPoll kernel_{io_, [this](const rules::KernelStatus& status) { on_kernel(status); }};
    LiveInput input_{io_, [this](std::string_view bytes) { pipeline_.parser().feed(bytes); },
                     [this](LiveInput::End end, const std::string& why) { end_of_input(end, why); }};
    asio::steady_timer timer_{io_};
    asio::steady_timer end_timer_{io_};
    std::vector<host::RunningProcess> running_; // until the first event
    Lag lag_;
    std::optional<Saver> saver_;
    Complaint state_trouble_, status_trouble_, inventory_trouble_;
    const std::int64_t started_ms_ = base::wall_clock_ms();
    std::int64_t last_age_ms_ = 0;
    std::int64_t last_inventory_ms_ = base::monotonic_ms();
    InventoryWatch inventory_;
    std::int64_t next_save_ms_ = 0;
    std::int64_t next_status_ms_ = 0;
    int status_ = base::exit_clean;
    bool goes_on_ = false; // ended by a signal: auditd, or its plugin, is started again
};

} // namespace

int run_plugin(const std::string& config_path, bool given) {
    return Plugin(config_path, given).run();
}

} // namespace luatrail::plugin
