#include "plugin/detection.hpp"

#include <fstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "luatrail/base/clock.hpp"
#include "luatrail/base/console.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/setup/options.hpp"
#include "plugin/recent.hpp"

namespace luatrail::plugin {
namespace {

constexpr int drain_ms = 2000; // at the end: auditd kills a plugin that takes longer

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

} // namespace

Detection::Detection(boost::asio::io_context& io, const setup::Config& config)
    : output_(io, config), engine_(setup::engine_options(config), output_),
      pipeline_(pipeline_options(config), *this, [this](std::string_view node) { engine_.note_loss(node); }) {}

setup::PipelineOptions Detection::pipeline_options(const setup::Config& config) {
    setup::PipelineOptions options;
    options.parser = source::ParserKind::auparse;
    options.limits.eager = true;
    options.limits.quiet_records = 64;
    options.limits.max_bytes = setup::in_flight_bytes(config);
    options.watch = [this](const audit::Record& record) {
        losses_.saw(record);
        switches_.saw(record);
        engine_.on_record(record);
    };
    return options;
}

void Detection::begin(std::vector<host::RunningProcess> running) {
    pipeline_.assembler().tick(base::monotonic_ms());
    running_ = std::move(running);
}

void Detection::feed(std::string_view bytes) {
    pipeline_.parser().feed(bytes);
}

void Detection::on_event(const audit::Event& event) {
    const bool recent = is_recent(event.id.time_ms);
    if (recent) {
        lag_.add(base::wall_clock_ms() - event.id.time_ms);
    }
    if (const auto running = std::exchange(running_, {}); recent && !running.empty()) {
        engine_.seed(event.node, running, event.id);
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

void Detection::tick() {
    pipeline_.assembler().tick(base::monotonic_ms());
    output_.tick();
}

void Detection::age() {
    pipeline_.parser().age();
    if (!losses_.node()) {
        return; // no record of this host yet
    }
    switches_.settle(base::wall_clock_ms());
    if (losses_.settle()) {
        engine_.note_loss(*losses_.node());
    }
    const auto& assembled = pipeline_.assembler().counters();
    const auto syslog = output_.syslog();
    losses_.own_losses(assembled.evicted + assembled.trimmed, syslog ? syslog->dropped : 0);
    if (const auto notice = losses_.notice(base::monotonic_ms(), base::wall_clock_ms())) {
        tell(*notice);
    }
}

void Detection::kernel_said(const rules::KernelStatus& status) {
    if (losses_.kernel_said(status) && losses_.node()) {
        engine_.note_loss(*losses_.node());
    }
}

void Detection::tell(const report::Notice& notice) {
    output_.notify(notice);
    base::say(fmt::format("{}; {}", notice.text, notice.remedy));
}

void Detection::apply(const setup::Config& config) {
    auto options = setup::engine_options(config);
    output_.apply(config);
    engine_.set_options(std::move(options));
}

void Detection::set_inventory(std::shared_ptr<const inventory::Inventory> inventory) {
    engine_.set_inventory(std::move(inventory));
}

void Detection::save(base::Packer& out) const {
    out(boot_id());
    engine_.save(out);
    losses_.save(out);
    output_.save(out);
    pipeline_.assembler().save(out);
}

void Detection::load(base::Unpacker& in) {
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

std::size_t Detection::finish(bool goes_on) {
    pipeline_.parser().finish();
    if (!goes_on) {
        pipeline_.assembler().flush();
    }
    output_.flush();
    return output_.drain(drain_ms);
}

void Detection::give_up_the_rest() {
    pipeline_.assembler().flush();
    output_.flush();
    output_.drain(drain_ms);
}

void Detection::fill(Status& status) const {
    status.parsed = pipeline_.parsed();
    status.assembled = pipeline_.assembler().counters();
    status.in_flight = pipeline_.assembler().in_flight();
    status.engine = engine_.counters();
    status.memory = engine_.memory();
    status.repeats = output_.repeats();
    status.syslog = output_.syslog();
    status.losses = losses_.counters();
    status.kernel = losses_.kernel();
    status.look_ups = output_.look_ups();
    status.lag = lag_;
}

} // namespace luatrail::plugin
