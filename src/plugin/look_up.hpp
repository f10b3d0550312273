// A look at the running host, soon after a run of Lua: what its files hold, what its environment sets, in which unit
// and container it runs.
//
// Everything that is looked at may be an attacker's. Files are opened by O_PATH first: what is no regular file (a FIFO,
// a device), or lies on a network or FUSE mount, is not read; nor is a script that the run's own user may not read, so
// that nobody can have luatrail show what is in another user's file. Sizes are bounded.
//
// So may be whoever asks: the process that reads hostile records. Who a run's user is, is asked of the process while it
// runs. Of a file that is not open to everybody root's word opens nothing but its digest, unless the process that runs
// names the file on its command line; and only programs are taken for interpreters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "plugin/look_up_question.hpp"

namespace luatrail::plugin {

inline constexpr std::size_t most_first_line = 200; // bytes

class LookUps {
  public:
    // `proc`: a proc(5) file system.
    explicit LookUps(std::string proc = "/proc");
    ~LookUps();

    // Both block as files do; neither throws.
    Seen look(const AskedRun& run);
    Answered answer(const Asked& asked);

    // The variable of a run's environment that brings code of its own ("LUA_INIT=@/tmp/x"); nothing: none, or the
    // process has ended.
    std::optional<std::string> init_of(const AskedRun& run) const;
    // What of Lua a process's program has inside: "Lua 5.4.4", a library that it is linked with ("liblua5.4.so.0"), or
    // the signs of lua_machine_in(); its first 16 MiB are looked at. Of a process that has ended the file by its name.
    std::optional<std::string> lua_in(const AskedRun& run) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace luatrail::plugin
