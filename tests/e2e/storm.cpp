// Audit events at a given rate: system calls that a rule asks for, one event each.
//
// Usage: storm RATE SECONDS [exec]    prints how many there were; with "exec" each is an exec of /bin/true (five
// records and more)
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

void one_exec() {
    static char name[] = "true";
    char* const argv[] = {name, nullptr};
    char* const environment[] = {nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, "/bin/true", nullptr, nullptr, argv, environment) == 0) {
        ::waitpid(child, nullptr, 0);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: storm RATE SECONDS [exec]\n", stderr);
        return 2;
    }
    const double rate = std::atof(argv[1]);
    const double seconds = std::atof(argv[2]);
    const bool exec = argc > 3 && std::string_view(argv[3]) == "exec";
    const auto began = Clock::now();
    long made = 0;
    for (;;) {
        const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
        if (elapsed >= seconds) {
            break;
        }
        // As many as are due by now: short bursts, as real storms are.
        for (const auto due = static_cast<long>(elapsed * rate); made < due; ++made) {
            if (exec) {
                one_exec();
            } else {
                ::getpriority(PRIO_PROCESS, 0);
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::printf("%ld\n", made);
}
