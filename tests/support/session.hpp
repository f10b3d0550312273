// What most tests of detect/ begin with: a shell that forks the processes of the story.
#pragma once

#include "support/log.hpp"

namespace test {

using Briefs = std::vector<std::string>;
inline const Briefs silent;
inline constexpr std::int64_t start = 1'795'572'000'000;
inline const Who shell{.pid = 10, .ppid = 1, .exe = "/usr/bin/bash"};

inline Who as(std::string exe, std::uint32_t pid = 20) {
    return {.pid = pid, .ppid = 10, .uid = 33, .exe = std::move(exe)};
}

inline Log begun() {
    Log log;
    log.at(start).exec(shell, {"bash"}).fork(shell, 20).at(start + 10);
    return log;
}

// With a second process, 21.
inline Log begun_twice() {
    Log log;
    log.at(start).exec(shell, {"bash"}).fork(shell, 20).fork(shell, 21).at(start + 10);
    return log;
}

inline Briefs briefs(const Log& log, luatrail::detect::EngineOptions options = {}) {
    return replay(log.text, std::move(options)).briefs;
}

} // namespace test
