#include <string>

#include "plugin/control_group.hpp"
#include "support/catch.hpp"

using luatrail::plugin::parse_cgroup;

namespace {

const std::string id = "4e0dc5bdb0d65b3ed2d05c8e2d1f1c1b2d8d5d5d1e1f1a1b1c1d1e1f20212223";

struct Row {
    std::string text, unit, container; // empty: none
};

} // namespace

TEST_CASE("unit and container of a control group") {
    const Row rows[] = {
        {"0::/system.slice/nginx.service\n", "nginx.service", ""},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", ""},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/foot.service\n", "foot.service", ""},
        {"0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "init.scope", ""},
        {"0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service", ""},
        {"0::/system.slice/_odd.service\n", "odd.service", ""},
        {"0::/init.scope", "init.scope", ""},
        {"0::/\n", "", ""},
        {"", "", ""},
        {"no colon\n\n:::\n", "", ""},
        {"0::/system.slice/docker-" + id + ".scope\n", "docker-" + id + ".scope", id},
        {"0::/docker/" + id + "\n", "", id},
        {"12:memory:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n0::/\n", "", id},
        {"1:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service", ""},
        {"0::/machine.slice/libpod-" + id + ".scope/container\n", "libpod-" + id + ".scope", id},
        {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" + id + ".scope\n",
         "cri-containerd-" + id + ".scope", id},
        {"0::/kubepods.slice/crio-" + id + ".scope\n", "crio-" + id + ".scope", id},
        {"0::/kubepods/burstable/pod0f8a/" + id + "\n", "", id},
        {"0::/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-1234567890\n", "",
         "0123456789abcdef0123456789abcdef-1234567890"},
        {"0::/lxc.payload.web/system.slice/cron.service\n", "cron.service", "web"},
        {"4:cpu:/lxc/web\n", "", "web"},
        {"0::/machine.slice/machine-deb\\x2dian.scope/payload\n", "machine-deb\\x2dian.scope", "deb-ian"},
        {"0::/machine.slice/systemd-nspawn@box.service/payload\n", "systemd-nspawn@box.service", "box"},
        {"0::/docker/" + id + "/docker/" + std::string(64, 'a') + "\n", "", std::string(64, 'a')}, // one within another
        {"0::/docker/" + id.substr(1) + "\n", "", ""},  // 63 digits are no id
        {"0::/docker/" + id.substr(1) + "G\n", "", ""}, // nor are other letters
        {"0::/x/docker-.scope\n", "docker-.scope", ""},
        {"0::/x/lxc.payload.\n", "", ""},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto found = parse_cgroup(row.text);
        CHECK(found.unit.value_or("") == row.unit);
        CHECK(found.container.value_or("") == row.container);
    }
}
