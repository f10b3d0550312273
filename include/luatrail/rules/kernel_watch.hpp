// The kernel's audit state, again and again, without waiting for its answers.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "luatrail/rules/host_checks.hpp"

namespace luatrail::rules {

class KernelWatch {
  public:
    // Throws base::Error when there is no audit to ask.
    KernelWatch();
    ~KernelWatch();

    // Readable when an answer has come.
    int fd() const;
    // Why it cannot be asked; nothing when the answer is on its way. Needs CAP_AUDIT_CONTROL.
    std::optional<std::string> ask();
    // The newest answer that has come.
    std::optional<KernelStatus> answer();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::rules
