#include "luatrail/base/command.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"
#include "luatrail/base/file.hpp"

namespace luatrail::base {

std::optional<Ended> run_command(std::vector<std::string> argv) {
    std::array<int, 2> ends{};
    if (argv.empty() || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return std::nullopt;
    }
    const Descriptor out(ends[0]);
    std::vector<char*> words;
    words.reserve(argv.size() + 1);
    for (auto& word : argv) {
        words.push_back(word.data());
    }
    words.push_back(nullptr);
    pid_t child = 0;
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int error = ::posix_spawn(&child, words.front(), &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
        return std::nullopt;
    }
    Ended ended;
    ended.out = read_all(out.get(), std::string::npos).value_or("");
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return ended;
}

} // namespace luatrail::base
