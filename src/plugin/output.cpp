#include "plugin/output.hpp"

#include <algorithm>
#include <array>
#include <exception>

#include <unistd.h>

#include "luatrail/base/clock.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/setup/options.hpp"
#include "plugin/lua_signs.hpp"

namespace luatrail::plugin {
namespace {

report::SyslogOptions syslog_options(const setup::Config& config) {
    report::SyslogOptions options;
    options.socket = config.syslog.socket;
    options.queue = config.limits.queue;
    options.queue_bytes = setup::waiting_bytes(config);
    options.format.kind = config.syslog.format == setup::Config::Format::cee ? report::SyslogFormat::Kind::cee
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

} // namespace

Output::Output(boost::asio::io_context& io, const setup::Config& config)
    : io_(io), syslog_config_(config.syslog), queue_(config.limits.queue), least_(config.detect.min_severity),
      repeat_bytes_(setup::repeat_bytes(config)) {
    delivery_.syslog = open_syslog(config);
    set_repeat(config.limits.repeat_ms);
}

std::unique_ptr<report::SyslogSink> Output::open_syslog(const setup::Config& config) {
    if (config.syslog.transport == setup::Config::Transport::off) {
        return nullptr;
    }
    return std::make_unique<report::SyslogSink>(io_, syslog_options(config),
                                                [](const std::string& text) { base::say(text); });
}

void Output::set_repeat(std::int64_t repeat_ms) {
    if (repeat_) {
        repeat_->flush();
        former_repeats_ += repeat_->counters().suppressed;
    }
    report::RepeatOptions options;
    options.repeat_ms = repeat_ms;
    options.bytes = repeat_bytes_;
    repeat_ = std::make_unique<report::RepeatFilter>(enrichment_, options);
    repeat_ms_ = repeat_ms;
}

void Output::Delivery::on_finding(const detect::Finding& finding) {
    if (finding.evidence && !finding.live && !finding.follows) {
        if (const auto init = init_in(finding.evidence->environment)) {
            sightings.push_back({finding, *init, false});
        }
    }
    if (syslog) {
        syslog->on_finding(finding);
    }
}

void Output::Enrichment::on_finding(const detect::Finding& finding) {
    detect::FindingSink& next = output.evidence_ && output.delivery_.syslog
                                    ? static_cast<detect::FindingSink&>(*output.evidence_)
                                    : output.delivery_;
    next.on_finding(finding);
}

void Output::on_finding(const detect::Finding& finding) {
    if (finding.severity < least_ && !finding.live && !finding.follows) {
        on_expected_run(finding); // nor is it reported
    }
    if (finding.severity >= least_) {
        newest_ms_ = std::max(newest_ms_, finding.time_ms);
        came_ms_ = base::monotonic_ms();
        repeat_->on_finding(finding);
    }
}

void Output::on_expected_run(const detect::Finding& run) {
    if (const auto init = evidence_ ? evidence_->init_of(run) : std::nullopt) {
        delivery_.sightings.push_back({run, *init, false});
    }
}

void Output::on_unknown_program(const detect::Finding& program) {
    if (const auto version = evidence_ ? evidence_->lua_in(program) : std::nullopt) {
        delivery_.sightings.push_back({program, *version, true});
    }
}

void Output::notify(const report::Notice& notice) {
    if (delivery_.syslog) {
        delivery_.syslog->notify(notice);
    }
}

// Event time goes on by itself while no finding comes, as in the kernel that writes the records.
void Output::tick() {
    if (newest_ms_ != INT64_MIN) {
        repeat_->tick(newest_ms_ + (base::monotonic_ms() - came_ms_));
    }
}

void Output::flush() {
    repeat_->flush();
}

std::size_t Output::drain(int ms) {
    return delivery_.syslog ? delivery_.syslog->drain(ms) : 0;
}

void Output::apply(const setup::Config& config) {
    const bool other_syslog = !(config.syslog == syslog_config_) || config.limits.queue != queue_;
    auto fresh = other_syslog ? open_syslog(config) : nullptr; // throws before anything was changed
    least_ = config.detect.min_severity;
    if (config.limits.repeat_ms != repeat_ms_) {
        set_repeat(config.limits.repeat_ms);
    }
    if (!other_syslog) {
        return;
    }
    drain(0);
    if (delivery_.syslog) {
        const auto& counters = delivery_.syslog->counters();
        former_.sent += counters.sent;
        former_.dropped += counters.dropped;
        former_.reconnects += counters.reconnects;
        if (fresh) {
            base::Packer waiting;
            delivery_.syslog->save(waiting);
            const auto bytes = waiting.take();
            base::Unpacker in(bytes);
            fresh->load(in);
        }
    }
    delivery_.syslog = std::move(fresh);
    syslog_config_ = config.syslog;
    queue_ = config.limits.queue;
}

void Output::save(base::Packer& out) const {
    out.number(delivery_.syslog ? 1 : 0);
    if (delivery_.syslog) {
        delivery_.syslog->save(out);
    }
}

bool Output::load(base::Unpacker& in) {
    if (in.number() == 0) {
        return true;
    }
    if (!delivery_.syslog) {
        return false;
    }
    delivery_.syslog->load(in);
    return true;
}

std::optional<report::SyslogCounters> Output::syslog() const {
    if (!delivery_.syslog) {
        return std::nullopt;
    }
    auto counters = delivery_.syslog->counters();
    counters.sent += former_.sent;
    counters.dropped += former_.dropped;
    counters.reconnects += former_.reconnects;
    return counters;
}

LookUpCounters Output::look_ups() const {
    return evidence_ ? evidence_->counters() : LookUpCounters{};
}

} // namespace luatrail::plugin
