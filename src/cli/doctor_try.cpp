#include "cli/doctor_try.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/check_table.hpp"
#include "cli/commands.hpp"
#include "luatrail/base/clock.hpp"
#include "luatrail/base/command.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/descriptor.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/file.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/plugin/status_page.hpp"
#include "luatrail/rules/host_checks.hpp"
#include "luatrail/rules/lua_programs.hpp"
#include "plugin/status_value.hpp"

namespace luatrail::cli {
namespace {

namespace fs = std::filesystem;
using rules::Check;
using rules::Health;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr auto turn = std::chrono::milliseconds(200);
// Where distributions' syslog daemons write what comes with the facility authpriv or any other.
constexpr std::array usual_logs{"/var/log/auth.log", "/var/log/secure", "/var/log/syslog", "/var/log/messages",
                                "/var/log/user.log"};

// What the trial leaves on the disk, and takes away again.
class Directory {
  public:
    Directory() : path_(fmt::format("/tmp/{}XXXXXX", detect::test_directory)) {
        if (::mkdtemp(path_.data()) == nullptr) {
            throw base::Error(fmt::format("{}: {}; make room there", path_, std::strerror(errno)));
        }
    }
    ~Directory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    std::string script() const { return path_ + "/try.lua"; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

// A file that grows, from where it ended when the trial began.
class Tail {
  public:
    explicit Tail(std::string path) : path_(std::move(path)) {
        struct stat status {};
        if (::stat(path_.c_str(), &status) == 0) {
            inode_ = status.st_ino;
            from_ = status.st_size;
        }
    }

    // The line with this text among those that came since; nothing yet.
    std::optional<std::string> line_with(std::string_view text) {
        constexpr std::size_t most = 64UL * 1024 * 1024;
        struct stat status {};
        const base::Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
            return std::nullopt;
        }
        if (status.st_ino != inode_ || status.st_size < from_) { // rotated
            inode_ = status.st_ino;
            from_ = 0;
        }
        if (::lseek(file.get(), from_, SEEK_SET) < 0) {
            return std::nullopt;
        }
        const auto content = base::read_all(file.get(), most).value_or("");
        const auto at = content.find(text);
        if (at == std::string::npos) {
            return std::nullopt;
        }
        const auto begin = content.rfind('\n', at) + 1; // of none: 0
        return content.substr(begin, content.find('\n', at) - begin);
    }

    const std::string& path() const { return path_; }

  private:
    std::string path_;
    ino_t inode_ = 0;
    off_t from_ = 0;
};

// The plugin's counters, as it wrote them last.
struct Counters {
    std::uint64_t records = 0, findings = 0, info = 0, sent = 0, queued = 0;
};

Counters counters_of(const std::string& file) {
    constexpr std::size_t most_bytes = 1024UL * 1024;
    const plugin::StatusValue status(base::read_file(file, most_bytes).value_or(""));
    Counters counters{.records = status.number("/records"),
                      .info = status.number("/findings/info"),
                      .sent = status.number("/syslog/sent"),
                      .queued = status.number("/syslog/queued")};
    for (const auto& [severity, count] : status.counts("/findings")) {
        counters.findings += count;
    }
    return counters;
}

// A place where the finding should show. `seen` says what was there; nothing yet.
struct Place {
    std::string id, text; // "journal"; "the journal has it"
    std::function<std::optional<std::string>()> look;
    std::optional<std::int64_t> after_ms{};
    std::string seen{};
};

std::optional<std::string> journal_line(std::string_view text, std::int64_t since_ms) {
    const auto ended = base::run_command({"/usr/bin/journalctl", "--quiet", "--no-pager", "--output=cat",
                                          "--identifier=luatrail", fmt::format("--since=@{}", since_ms / 1000 - 1)});
    const auto at = ended ? ended->out.find(text) : std::string::npos;
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const auto begin = ended->out.rfind('\n', at) + 1;
    return ended->out.substr(begin, ended->out.find('\n', at) - begin);
}

class Trial {
  public:
    explicit Trial(const TryOptions& options)
        : options_(options),
          config_(::access(options.config.c_str(), F_OK) == 0 ? setup::load_config(options.config) : setup::Config{}) {
        if (::geteuid() != 0) {
            throw base::Error("--try asks the kernel and reads the logs that the finding goes to; run it as root");
        }
        interpreter_ = find_interpreter();
    }

    int run() {
        check_kernel();
        check_plugin();
        if (broken()) {
            return report();
        }
        look_up_places();
        drop_and_run();
        wait();
        judge();
        return report();
    }

  private:
    static std::string find_interpreter() {
        const auto profiles = detect::ProfileSet::builtin();
        const auto found = rules::find_lua(profiles);
        for (const bool with_init : {true, false}) { // lua and luajit before texlua
            for (const auto& program : found.programs) {
                if (program.is_interpreter() && program.profile->lua_init == with_init) {
                    return program.path;
                }
            }
        }
        throw base::Error("no Lua interpreter on this host to try it with; install one, lua5.4 for instance");
    }

    bool broken() const {
        return std::any_of(links_.begin(), links_.end(),
                           [](const Check& link) { return link.health == Health::fault; });
    }

    void add(std::string id, Health health, std::string text, std::string remedy = "") {
        links_.push_back({std::move(id), health, std::move(text), std::move(remedy)});
    }

    void check_kernel() {
        for (auto& check : rules::kernel_checks(rules::kernel_status())) {
            if (check.id == "kernel/enabled" || check.id == "kernel/auditd") {
                links_.push_back(std::move(check));
            }
        }
        const auto loaded = rules::loaded_rules().rules.size();
        if (loaded == 0) {
            add("rules", Health::fault, "the kernel has no audit rules",
                "luatrail rules > /etc/audit/rules.d/60-luatrail.rules && augenrules --load");
        } else {
            add("rules", Health::good,
                fmt::format("the kernel has {} audit {}", loaded, loaded == 1 ? "rule" : "rules"));
        }
    }

    void check_plugin() {
        constexpr std::size_t most_bytes = 1024UL * 1024;
        const auto& file = config_.status.file;
        const auto content = base::read_file(file, most_bytes);
        constexpr auto start =
            "have auditd start it: active = yes in its plugins.d/luatrail.conf, then pkill -HUP auditd";
        if (!content || content->empty()) {
            add("plugin", Health::fault, fmt::format("{}: not there: no plugin has written it", file), start);
            return;
        }
        const auto writer = plugin::status_writer(*content, base::wall_clock_ms());
        if (writer.ended || ::kill(static_cast<pid_t>(writer.pid), 0) != 0) {
            add("plugin", Health::fault, fmt::format("the plugin that wrote {} does not run any more", file), start);
            return;
        }
        before_ = counters_of(file);
        add("plugin", Health::good, fmt::format("the plugin runs (pid {})", writer.pid));
    }

    void look_up_places() {
        if (const auto log = rules::auditd_log(options_.auditd)) {
            auto tail = std::make_shared<Tail>(*log);
            auditd_log_ = Place{"auditd", fmt::format("auditd has written the run to {}", *log),
                                [this, tail] { return tail->line_with(directory_.script()); }};
        }
        auto logs = options_.logs;
        for (const auto* log : usual_logs) {
            if (::access(log, R_OK) == 0) {
                logs.emplace_back(log);
            }
        }
        for (const auto& log : logs) {
            auto tail = std::make_shared<Tail>(log);
            receivers_.push_back({"log", fmt::format("{} has the finding", log),
                                  [this, tail] { return tail->line_with(directory_.script()); }});
        }
        if (::access("/usr/bin/journalctl", X_OK) == 0 && ::access("/run/systemd/journal/socket", F_OK) == 0) {
            receivers_.push_back({"journal", "the journal has the finding", [this, since = base::wall_clock_ms()] {
                                      return journal_line(directory_.script(), since);
                                  }});
        }
    }

    void drop_and_run() {
        std::ofstream(directory_.script())
            << "-- Dropped and run by `luatrail doctor --try`. It does nothing.\nreturn\n";
        begun_ = Clock::now();
        ran_ = true;
        const auto ended = base::run_command({interpreter_, directory_.script()});
        if (!ended || ended->status != 0) {
            throw base::Error(fmt::format("{} {}: {}; run it by hand to see why", interpreter_, directory_.script(),
                                          ended ? fmt::format("ended with status {}", ended->status)
                                                : std::string("could not be started")));
        }
    }

    void look(Place& place) const {
        if (place.after_ms) {
            return;
        }
        if (auto seen = place.look()) {
            place.seen = std::move(*seen);
            place.after_ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun_).count();
        }
    }

    // Until every receiver has it, or for some time after the first one has: others may not be meant to.
    void wait() {
        constexpr auto further = std::chrono::seconds(2);
        const auto end = begun_ + std::chrono::milliseconds(options_.patience_ms);
        std::optional<Clock::time_point> first;
        do {
            if (auditd_log_) {
                look(*auditd_log_);
            }
            std::size_t have = 0;
            for (auto& receiver : receivers_) {
                look(receiver);
                have += receiver.after_ms ? 1 : 0;
            }
            after_ = counters_of(config_.status.file);
            if (have > 0 && !first) {
                first = Clock::now();
            }
            const bool all = !receivers_.empty() && have == receivers_.size();
            const bool enough = first && Clock::now() > *first + further;
            const bool unseen =
                receivers_.empty() && after_.findings > before_.findings; // it cannot be seen any further
            if (all || enough || unseen) {
                return;
            }
            std::this_thread::sleep_for(turn);
        } while (Clock::now() < end);
    }

    static std::string after(const Place& place) {
        return fmt::format("{}, {:.1f} s after the run", place.text, static_cast<double>(*place.after_ms) / 1000);
    }

    void judge() {
        const bool arrived = std::any_of(receivers_.begin(), receivers_.end(),
                                         [](const Place& place) { return place.after_ms.has_value(); });
        if (auditd_log_ && auditd_log_->after_ms) {
            add("auditd", Health::good, after(*auditd_log_));
        } else if (auditd_log_ && !arrived) {
            add("auditd", Health::fault,
                "the kernel's records of the run have not come: no rule asks for it, or a rule keeps it away",
                "luatrail doctor, which goes through the rules");
            return;
        }
        if (!arrived) {
            judge_plugin();
        }
        for (const auto& receiver : receivers_) {
            if (receiver.after_ms) {
                add(receiver.id, Health::good, after(receiver));
                read_finding(receiver.seen);
            }
        }
    }

    // Which link is broken, where nobody has the finding.
    void judge_plugin() {
        const auto waited = fmt::format("{} s", options_.patience_ms / 1000);
        const auto found = after_.findings - std::min(before_.findings, after_.findings);
        const auto info = after_.info - std::min(before_.info, after_.info);
        const bool sends = config_.syslog.transport != setup::Config::Transport::off;
        if (after_.records == before_.records) {
            add("plugin", Health::fault, fmt::format("the plugin has read no record for {}", waited),
                "see what auditd says of it in the system's log; pkill -HUP auditd starts it anew");
        } else if (found == 0) {
            add("plugin", Health::fault, fmt::format("the plugin reads records, and found nothing for {}", waited),
                "luatrail status, for what was lost or how far behind it is; luatrail doctor, for rules that are "
                "missing");
        } else if (found == info) {
            add("plugin", Health::fault,
                "the plugin found the run and not the drop, so that it is info, which is not sent",
                "luatrail doctor, for the rules on drops below /tmp");
        } else if (!sends) {
            add("plugin", Health::good, "the plugin found it; syslog.transport is off, so that it goes nowhere");
        } else if (after_.queued > before_.queued) {
            add("syslog", Health::fault, fmt::format("the finding waits: nobody takes it at {}", config_.syslog.socket),
                "start the syslog daemon, or name its socket as syslog.socket");
        } else if (receivers_.empty()) {
            add("syslog", Health::warning,
                fmt::format("the plugin sent it to {}; no receiver's file is known here", config_.syslog.socket),
                "name the receiver's file with --log");
        } else {
            std::vector<std::string> places;
            for (const auto& receiver : receivers_) {
                places.push_back(receiver.text.substr(0, receiver.text.find(" has the finding")));
            }
            add("receiver", Health::fault,
                fmt::format("the plugin sent it to {}, and it is not in {}", config_.syslog.socket,
                            fmt::join(places, ", ")),
                "name the file that the receiver writes with --log, or see its own log for why it drops messages");
        }
    }

    void read_finding(const std::string& line) {
        const auto at = line.find('{');
        const auto json = Json::parse(line.substr(std::min(at, line.size())), nullptr, false);
        if (finding_.empty() && json.is_object() && json.contains("id") && json["id"].is_string()) {
            finding_ = json["id"];
        }
    }

    int report() const {
        if (options_.json) {
            Json out;
            out["schema"] = "luatrail/doctor-try/1";
            out["interpreter"] = base::to_utf8(interpreter_);
            out["script"] = ran_ ? Json(directory_.script()) : Json(nullptr);
            out["arrived"] = !broken();
            out["finding"] = finding_.empty() ? Json(nullptr) : Json(finding_);
            out["links"] = Json::array();
            for (const auto& link : links_) {
                out["links"].push_back(check_value(link));
            }
            fmt::print("{}\n", out.dump());
        } else {
            const CheckTable table;
            if (ran_) {
                fmt::print("A script that does nothing, {}, run by {}:\n\n", directory_.script(),
                           base::printable(interpreter_));
            } else {
                fmt::print("Nothing was run, because the finding could not arrive:\n\n");
            }
            for (const auto& link : links_) {
                table.line(link);
            }
            if (!finding_.empty()) {
                fmt::print("\nThe finding is {}. It is marked as a test.\n", base::printable(finding_));
            }
        }
        if (std::fflush(stdout) != 0) {
            return base::exit_trouble;
        }
        return broken() ? base::exit_finding : base::exit_clean;
    }

    const TryOptions& options_;
    setup::Config config_;
    std::string interpreter_;
    Directory directory_;
    std::optional<Place> auditd_log_;
    std::vector<Place> receivers_;
    std::vector<Check> links_;
    Counters before_, after_;
    Clock::time_point begun_;
    std::string finding_;
    bool ran_ = false;
};

} // namespace

int try_out(const TryOptions& options) {
    return Trial(options).run();
}

} // namespace luatrail::cli
