// The plugin's way out: what is severe enough, once the equal ones, with what a look at the host adds, to syslog.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "luatrail/detect/finding.hpp"
#include "luatrail/report/repeat_filter.hpp"
#include "luatrail/report/syslog_sink.hpp"
#include "luatrail/setup/config.hpp"
#include "plugin/evidence_sink.hpp"

namespace luatrail::plugin {

class Output : public detect::FindingSink {
  public:
    Output(boost::asio::io_context& io, const setup::Config& config);

    // Findings get what the helper sees, which outlives this.
    void look_up_with(Helper& helper) { evidence_ = std::make_unique<EvidenceSink>(helper, delivery_); }

    void on_finding(const detect::Finding& finding) override;
    void on_expected_run(const detect::Finding& run) override;
    void on_unknown_program(const detect::Finding& program) override;

    // What look-ups showed since this was last asked, for the engine to judge.
    struct Sighting {
        detect::Finding finding;
        std::string text; // "LUA_INIT=@/tmp/x", or the version of Lua that is inside
        bool content = false;
    };
    std::vector<Sighting> take_sightings() { return std::exchange(delivery_.sightings, {}); }

    void notify(const report::Notice& notice);
    void tick();  // four times a second
    void flush(); // the repeated ones that are held back
    // Hands to syslog what it takes within `ms`. Returns how many messages are left.
    std::size_t drain(int ms);

    // What counts from now on. What waits for the old socket goes to the new one.
    void apply(const setup::Config& config);

    // The messages that wait. load() returns false when they were kept for a syslog that is now off: what lies behind
    // them cannot be read either. Throws base::UnpackError.
    void save(base::Packer& out) const;
    bool load(base::Unpacker& in);

    std::optional<report::SyslogCounters> syslog() const;
    LookUpCounters look_ups() const;
    std::uint64_t repeats() const { return former_repeats_ + repeat_->counters().suppressed; }

  private:
    // The end of the way: syslog, which a new configuration may replace.
    struct Delivery : detect::FindingSink {
        std::unique_ptr<report::SyslogSink> syslog;
        std::vector<Sighting> sightings;
        void on_finding(const detect::Finding& finding) override;
    };
    // Between the repeat filter and the delivery, where look-ups are on.
    struct Enrichment : detect::FindingSink {
        explicit Enrichment(Output& owner) : output(owner) {}
        void on_finding(const detect::Finding& finding) override;
        Output& output;
    };

    std::unique_ptr<report::SyslogSink> open_syslog(const setup::Config& config);
    void set_repeat(std::int64_t repeat_ms);

    boost::asio::io_context& io_;
    setup::Config::Syslog syslog_config_;
    std::size_t queue_;
    detect::Severity least_;
    std::size_t repeat_bytes_;
    std::int64_t repeat_ms_ = 0;
    Delivery delivery_;
    std::unique_ptr<EvidenceSink> evidence_;
    Enrichment enrichment_{*this};
    std::unique_ptr<report::RepeatFilter> repeat_;
    std::uint64_t former_repeats_ = 0;
    report::SyslogCounters former_;      // of sinks that were replaced
    std::int64_t newest_ms_ = INT64_MIN; // of the findings
    std::int64_t came_ms_ = 0;
};

} // namespace luatrail::plugin
