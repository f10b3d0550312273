#include "luatrail/rules/kernel_watch.hpp"

#include "rules/netlink.hpp"

namespace luatrail::rules {

struct KernelWatch::Impl {
    Netlink netlink;
};

KernelWatch::KernelWatch() : impl_(std::make_unique<Impl>()) {}
KernelWatch::~KernelWatch() = default;

int KernelWatch::fd() const {
    return impl_->netlink.fd();
}

std::optional<std::string> KernelWatch::ask() {
    const int result = audit_request_status(impl_->netlink.fd());
    return result > 0 ? std::nullopt
                      : std::optional<std::string>(fmt::format("the kernel's audit: {}", std::strerror(-result)));
}

std::optional<KernelStatus> KernelWatch::answer() {
    std::optional<KernelStatus> newest;
    audit_reply reply{};
    while (audit_get_reply(impl_->netlink.fd(), &reply, GET_REPLY_NONBLOCKING, 0) > 0) {
        if (reply.type == AUDIT_GET) {
            newest = status_of(*reply.status);
        }
    }
    return newest;
}

} // namespace luatrail::rules
