// A child process that answers questions, with capabilities that its parent has not. It is forked at the start, as
// root, and cannot be started again: nobody has the privileges by then. It ends with its parent.
//
// A message is a number that counts the questions, and bytes that the two agree on: one of a local socket of type
// SOCK_SEQPACKET, at most `most_message` long. The child trusts none of it: what it cannot read ends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/base/descriptor.hpp"
#include "plugin/call_filter.hpp"
#include "plugin/privileges.hpp"

namespace luatrail::plugin {

inline constexpr std::size_t most_message = 128UL * 1024;

class Helper {
  public:
    struct Task {
        const char* name;                   // as ps(1) shows it: at most 15 bytes
        std::vector<unsigned> capabilities; // linux/capability.h
        Calls calls;
        bool landlock = true; // whether it writes nowhere; it sees no other process then, not by /proc either
        bool filter = true;   // whether it allows itself only these calls
        int also = -1;        // a descriptor that it needs
        // In the child. Throws base::UnpackError at a question that is none.
        std::function<std::string(std::string_view question)> answer;
    };
    // Before any thread is started. Waits until the child has given up what it does not need; alive() is false when
    // that failed.
    Helper(const Task& task, const std::optional<Account>& account);

    // Whether it still answers; it is noticed here that it has ended.
    bool alive();
    bool busy() const { return waiting_; } // a question is out
    // False when one is out, or it has ended.
    bool ask(std::string_view question);
    // Of the last question; nothing: it has not come after so long.
    std::optional<std::string> answer(std::chrono::milliseconds patience);
    int fd() const { return socket_.get(); } // readable when an answer has come

  private:
    void settle(std::chrono::milliseconds patience);

    base::Descriptor socket_;
    std::uint64_t asked_ = 0;
    bool waiting_ = false, ended_ = false;
    std::optional<std::string> answer_;
};

} // namespace luatrail::plugin
