#include "plugin/loss_watch.hpp"

#include "luatrail/base/clock.hpp"
#include "luatrail/base/pack.hpp"
#include "support/catch.hpp"

using namespace luatrail;

namespace {

constexpr std::uint16_t syscall_record = 1300;

audit::Record record(std::uint64_t serial, std::string_view node = "web01", std::uint16_t type = syscall_record) {
    audit::Record made;
    made.id = {base::wall_clock_ms(), serial};
    made.type = type;
    made.node = node;
    return made;
}

rules::KernelStatus lost(std::uint32_t count) {
    rules::KernelStatus status;
    status.lost = count;
    return status;
}

void settle_all(plugin::LossWatch& watch) {
    for (int turn = 0; turn < 6; ++turn) {
        watch.settle();
    }
}

} // namespace

TEST_CASE("what the kernel lost counts from the first answer on") {
    plugin::LossWatch watch;
    CHECK(!watch.kernel_said(lost(700))); // before our time
    CHECK(!watch.kernel_said(lost(700)));
    CHECK(watch.kernel_said(lost(712)));
    CHECK(watch.counters().kernel == 12);
    CHECK(!watch.kernel_said(lost(0))); // auditctl --reset-lost
    CHECK(watch.kernel_said(lost(3)));
    CHECK(watch.counters().kernel == 15);
}

TEST_CASE("what was lost while the plugin was away counts, in the same boot") {
    plugin::LossWatch before;
    before.kernel_said(lost(700));
    before.saw(record(99));
    before.saw(record(100));
    base::Packer out;
    before.save(out);
    const auto bytes = out.take();
    for (const bool same_boot : {true, false}) {
        plugin::LossWatch after;
        base::Unpacker in(bytes);
        after.load(in, same_boot);
        CHECK(after.kernel_said(lost(705)) == same_boot);
        CHECK(after.counters().kernel == (same_boot ? 5 : 0));
        after.saw(record(104));
        settle_all(after);
        CHECK(after.counters().missing == (same_boot ? 3 : 0));
    }
}

TEST_CASE("numbers that are missing are those of this host's kernel") {
    plugin::LossWatch watch;
    auto old = record(1);
    old.id.time_ms -= 3'600'000;
    watch.saw(old);
    CHECK(!watch.node());                  // a recording tells nothing of this host
    watch.saw(record(900, "web01", 1200)); // auditd's own
    CHECK(!watch.node());
    watch.saw(record(10));
    CHECK(watch.node() == "web01");
    watch.saw(record(11));
    watch.saw(record(5000, "db02")); // sent on by another host
    watch.saw(record(77, "web01", 1203));
    watch.saw(record(14));
    settle_all(watch);
    CHECK(watch.counters().missing == 2);
}

TEST_CASE("a notice tells what was lost since the last one, once a minute") {
    plugin::LossWatch watch;
    const auto minute = plugin::LossWatch::notice_every_ms;
    CHECK(!watch.notice(0, 0));
    watch.saw(record(1));
    watch.kernel_said(lost(0));
    watch.kernel_said(lost(12));
    const auto first = watch.notice(1000, 1795572010666);
    REQUIRE(first);
    CHECK(first->kind == "lost-records");
    CHECK(first->time_ms == 1795572010666);
    CHECK(first->node == "web01");
    CHECK(first->text == "records that the kernel lost: 12; what happened then may not have been seen");
    CHECK(first->remedy == "raise the backlog limit (auditctl -b)");
    CHECK(first->counts.at(0) == std::pair<std::string, std::uint64_t>("kernel", 12));
    watch.kernel_said(lost(13));
    watch.own_losses(2, 3);
    CHECK(!watch.notice(1000 + minute - 1, 0));
    const auto second = watch.notice(1000 + minute, 0);
    REQUIRE(second);
    CHECK(second->text ==
          "records that the kernel lost: 1; events closed early or cut: 2; findings that syslog did not "
          "take: 3; what happened then may not have been seen");
    CHECK(!watch.notice(1000 + 5 * minute, 0));
}
