// luatrail plugin: one loop of auditd's records on standard input, a timer, signals, and the syslog socket.
//
// auditd stalls the machine when a plugin is slow: standard input is always drained, and nothing here waits for syslog.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "commands.hpp"
#include "console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/host/running.hpp"
#include "luatrail/report/repeat_filter.hpp"
#include "luatrail/report/syslog_sink.hpp"
#include "pipeline.hpp"
#include "privileges.hpp"
#include "state_file.hpp"

namespace luatrail::app {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto tick_every = std::chrono::milliseconds(250);
constexpr std::int64_t age_every_ms = 1000; // libauparse counts in seconds
constexpr auto signal_turn = std::chrono::milliseconds(20);
constexpr int drain_ms = 2000; // at the end: auditd kills a plugin that takes longer

// Between engine and syslog: what is severe enough, and once the equal ones within limits.repeat.
class LiveSelection : public detect::FindingSink {
  public:
    explicit LiveSelection(detect::Severity least) : least_(least) {}
    void set_next(detect::FindingSink& next, std::int64_t repeat_ms) {
        report::RepeatOptions options;
        options.repeat_ms = repeat_ms;
        repeat_ = std::make_unique<report::RepeatFilter>(next, options);
    }
    void set_least(detect::Severity least) { least_ = least; }

    void on_finding(const detect::Finding& finding) override {
        if (finding.severity >= least_ && repeat_) {
            newest_ms_ = std::max(newest_ms_, finding.time_ms);
            came_ms_ = monotonic_ms();
            repeat_->on_finding(finding);
        }
    }

    // Event time goes on by itself while no finding comes, as in the kernel that writes the records.
    void tick() {
        if (repeat_ && newest_ms_ != INT64_MIN) {
            repeat_->tick(newest_ms_ + (monotonic_ms() - came_ms_));
        }
    }

    void flush() {
        if (repeat_) {
            repeat_->flush();
        }
    }

  private:
    detect::Severity least_;
    std::unique_ptr<report::RepeatFilter> repeat_;
    std::int64_t newest_ms_ = INT64_MIN; // of the findings
    std::int64_t came_ms_ = 0;
};

report::SyslogOptions syslog_options(const Config& config) {
    report::SyslogOptions options;
    options.socket = config.syslog.socket;
    options.queue = config.limits.queue;
    options.format.kind = config.syslog.format == Config::Format::cee ? report::SyslogFormat::Kind::cee
                                                                      : report::SyslogFormat::Kind::rfc5424;
    options.format.facility = config.syslog.facility;
    options.format.max_bytes = config.syslog.max_bytes;
    options.format.procid = std::to_string(::getpid());
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') {
        options.format.hostname = name.data();
    }
    return options;
}

audit::AssemblerLimits live_limits() {
    audit::AssemblerLimits limits;
    limits.eager = true;
    limits.quiet_records = 64;
    return limits;
}

PipelineOptions live_pipeline() {
    PipelineOptions options;
    options.parser = source::ParserKind::auparse;
    options.limits = live_limits();
    return options;
}

class Plugin : private audit::EventSink {
  public:
    // `given`: without its file there is nothing to run with; otherwise the defaults do.
    Plugin(std::string config_path, bool given)
        : config_path_(std::move(config_path)), config_(initial_config(config_path_, given)),
          state_(config_.state.directory), selection_(config_.detect.min_severity),
          engine_(engine_options(config_), selection_),
          pipeline_(live_pipeline(), *this, [this](std::string_view node) { engine_.note_loss(node); }) {
        if (config_.syslog.transport == Config::Transport::local) {
            syslog_ = std::make_unique<report::SyslogSink>(io_, syslog_options(config_),
                                                           [](const std::string& text) { say(text); });
            selection_.set_next(*syslog_, config_.limits.repeat_ms);
        }
    }

    int run() {
        unblock_signals();
        begin();
        signals_.async_wait([this](const error_code& error, int number) { on_signal(error, number); });
        give_up_privileges(config_.privileges.seccomp);
        schedule_tick();
        start_reading();
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

    // What was known at the end of the last run, and what runs now.
    void begin() {
        pipeline_.assembler().tick(monotonic_ms()); // events age from now on
        std::string complaint;
        if (const auto bytes = state_.load(complaint)) {
            try {
                load_state(*bytes);
            } catch (const base::UnpackError& error) {
                state_.reject(error.what(), complaint);
            }
        }
        if (!complaint.empty()) {
            say(complaint);
        }
        running_ = host::running_processes();
        next_save_ms_ = monotonic_ms() + config_.state.save_ms;
    }

    void load_state(const std::string& bytes) {
        base::Unpacker in(bytes);
        std::string boot;
        in(boot);
        engine_.load(in);
        if (boot != boot_id()) {
            engine_.begin_boot();
        }
        std::uint64_t with_syslog = 0;
        in(with_syslog);
        if (with_syslog != 0 && syslog_) {
            syslog_->load(in);
        } else if (with_syslog != 0) {
            return; // findings wait in it for a syslog that is now off, and behind them events that were in flight
        }
        pipeline_.assembler().load(in);
        if (!in.at_end()) {
            throw base::UnpackError("there is more in it than there should be");
        }
    }

    // The same complaint is not made again and again.
    void save_state(bool last) {
        base::Packer out;
        out(boot_id());
        engine_.save(out);
        out.number(syslog_ ? 1 : 0);
        if (syslog_) {
            syslog_->save(out);
        }
        pipeline_.assembler().save(out);
        const auto failed = state_.save(out.take(), last);
        if (failed && failed != save_failure_) {
            say(*failed);
        }
        save_failure_ = failed;
    }

    static std::string boot_id() {
        std::ifstream file("/proc/sys/kernel/random/boot_id");
        std::string id;
        std::getline(file, id);
        return id;
    }

    // The first record names this host's node. Records of another time (a recording) are no word of its processes.
    void on_event(const audit::Event& event) override {
        if (!running_.empty()) {
            constexpr std::int64_t lately_ms = 300'000;
            const auto running = std::exchange(running_, {});
            if (std::abs(wall_clock_ms() - event.id.time_ms) < lately_ms) {
                engine_.seed(event.node, running, event.id);
            }
        }
        engine_.on_event(event);
    }

    static std::int64_t wall_clock_ms() {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    }

    void start_reading() {
        struct stat status {};
        if (::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode)) {
            read_file(); // epoll refuses regular files
            return;
        }
        error_code error;
        input_.assign(::dup(STDIN_FILENO), error);
        if (error) {
            throw base::Error(
                fmt::format("standard input: {}; auditd gives a plugin its records there", error.message()));
        }
        read_stream();
    }

    void read_stream() {
        input_.async_read_some(asio::buffer(buffer_), [this](const error_code& error, std::size_t size) {
            if (error) {
                end_of_input(error == asio::error::eof ? std::string() : error.message());
                return;
            }
            pipeline_.parser().feed({buffer_.data(), size});
            read_stream();
        });
    }

    void read_file() {
        asio::post(io_, [this] {
            const auto size = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
            if (size <= 0) {
                end_of_input(size < 0 ? std::strerror(errno) : std::string());
                return;
            }
            pipeline_.parser().feed({buffer_.data(), static_cast<std::size_t>(size)});
            if (!stopping_) {
                read_file();
            }
        });
    }

    void end_of_input(const std::string& trouble) {
        if (!trouble.empty() && !stopping_) {
            say(fmt::format("standard input: {}; stopping", trouble));
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
            const auto now = monotonic_ms();
            if (now - last_age_ms_ >= age_every_ms) {
                last_age_ms_ = now;
                pipeline_.parser().age();
            }
            pipeline_.assembler().tick(now);
            if (now >= next_save_ms_) {
                next_save_ms_ = now + config_.state.save_ms;
                save_state(false);
            }
            selection_.tick();
            schedule_tick();
        });
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
        drain_input();
        goes_on_ = true;
        stop();
    }

    // What the pipe holds at SIGTERM are records that auditd has already let go of.
    void drain_input() {
        if (!input_.is_open()) {
            return;
        }
        error_code error;
        input_.non_blocking(true, error);
        for (;;) {
            const auto size = input_.read_some(asio::buffer(buffer_), error);
            if (error || size == 0) {
                return;
            }
            pipeline_.parser().feed({buffer_.data(), size});
        }
    }

    // The old policy stays when the new one is wrong.
    void reload() {
        try {
            const auto config = load_config(config_path_);
            auto options = engine_options(config);
            engine_.set_policy(std::move(options.profiles), std::move(options.baseline));
            selection_.set_least(config.detect.min_severity);
            say(fmt::format("{}: reloaded: profiles, baselines and min_severity; other keys count from the next start",
                            config_path_));
        } catch (const base::Error& error) {
            say(fmt::format("{}; the old configuration stays in force", error.what()));
        }
    }

    void stop() {
        stopping_ = true;
        error_code ignored;
        input_.close(ignored);
        timer_.cancel();
        end_timer_.cancel();
        signals_.cancel(ignored);
        io_.stop();
    }

    int finish() {
        pipeline_.parser().finish();
        if (!goes_on_) { // else the rest of the events in flight comes to the next start
            pipeline_.assembler().flush();
        }
        selection_.flush();
        if (syslog_) {
            if (const auto left = syslog_->drain(drain_ms); left > 0) {
                say(fmt::format(
                    "{} findings could not be handed to syslog before the end; they are kept for the next start",
                    left));
            }
            if (const auto dropped = syslog_->counters().dropped; dropped > 0) {
                say(fmt::format("{} findings were dropped while syslog took none; raise limits.queue", dropped));
            }
        }
        save_state(true);
        if (save_failure_ && goes_on_) { // nobody will go on with them
            pipeline_.assembler().flush();
            selection_.flush();
            if (syslog_) {
                syslog_->drain(drain_ms);
            }
        }
        return exit_clean;
    }

    static Config initial_config(const std::string& path, bool given) {
        return given || ::access(path.c_str(), F_OK) == 0 ? load_config(path) : Config{};
    }

    asio::io_context io_{1};
    // Before everything that takes its time: auditd's SIGTERM or SIGHUP may come while we still start.
    asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    std::string config_path_;
    Config config_; // as it was at the start
    StateFile state_;
    LiveSelection selection_;
    detect::Engine engine_;
    Pipeline pipeline_;
    std::unique_ptr<report::SyslogSink> syslog_;
    asio::posix::stream_descriptor input_{io_};
    asio::steady_timer timer_{io_};
    asio::steady_timer end_timer_{io_};
    std::array<char, 256UL * 1024> buffer_{};
    std::int64_t last_age_ms_ = 0;
    std::vector<host::RunningProcess> running_; // until the first event
    std::int64_t next_save_ms_ = 0;
    std::optional<std::string> save_failure_;
    bool stopping_ = false;
    bool goes_on_ = false; // ended by a signal: auditd, or its plugin, is started again
};

} // namespace

Command add_plugin(CLI::App& app) {
    auto path = std::make_shared<std::string>(default_config_path);
    app.add_option("-c,--config", *path, "The configuration, as one word for auditd: --config=FILE")
        ->type_name("FILE")
        ->capture_default_str();
    app.footer(
        "Reads audit records from standard input until its end or SIGTERM, hands what it holds to syslog and exits 0.\n"
        "SIGHUP reloads profiles, baselines and min_severity; a wrong configuration leaves the old one in force.");
    return [&app, path] { return Plugin(*path, app.count("--config") > 0).run(); };
}

} // namespace luatrail::app
