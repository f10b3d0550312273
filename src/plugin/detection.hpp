// The way of a record within the plugin: parser, assembler, engine, and out as a finding or as a loss.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "luatrail/detect/engine.hpp"
#include "luatrail/host/running.hpp"
#include "luatrail/setup/config.hpp"
#include "luatrail/setup/pipeline.hpp"
#include "plugin/lag.hpp"
#include "plugin/loss_watch.hpp"
#include "plugin/output.hpp"
#include "plugin/status.hpp"
#include "plugin/switch_watch.hpp"

namespace luatrail::plugin {

class Detection : private audit::EventSink {
  public:
    // Throws base::Error for profiles, baselines or an inventory that are wrong.
    Detection(boost::asio::io_context& io, const setup::Config& config);

    // Events age from now on. The processes that run now become known with the first event, which names their node.
    void begin(std::vector<host::RunningProcess> running);

    void feed(std::string_view bytes);
    void tick(); // four times a second
    void age();  // once a second: what auditd has not ended, and what was lost
    void kernel_said(const rules::KernelStatus& status);
    void tell(const report::Notice& notice); // to syslog and on standard error

    // Profiles, baselines, inventory and the way out, from now on. Throws base::Error, and nothing has changed then.
    void apply(const setup::Config& config);
    void set_inventory(std::shared_ptr<const inventory::Inventory> inventory);

    // What outlives the process. load() throws base::UnpackError.
    void save(base::Packer& out) const;
    void load(base::Unpacker& in);

    // The end. `goes_on`: a next start goes on with the events in flight. Returns how many messages syslog has not
    // taken.
    std::size_t finish(bool goes_on);
    // Judges also what finish() left for a next start.
    void give_up_the_rest();

    void fill(Status& status) const;
    bool knows_node() const { return losses_.node().has_value(); } // a record of this host has come
    Output& output() { return output_; }
    std::uint64_t software_updates() { return engine_.counters().software_updates; }

  private:
    setup::PipelineOptions pipeline_options(const setup::Config& config);
    void on_event(const audit::Event& event) override;

    Output output_;
    detect::Engine engine_;
    LossWatch losses_;
    SwitchWatch switches_{[this](const report::Notice& notice) { tell(notice); }};
    setup::Pipeline pipeline_;
    std::vector<host::RunningProcess> running_; // until the first event
    Lag lag_;
};

} // namespace luatrail::plugin
